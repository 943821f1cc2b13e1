-- Beat writes the record of a server as asynq does, or removes it.
--
-- KEYS[1]   sorted set of the names of all servers' records, by when they end
-- KEYS[2]   the same of their workers
-- KEYS[3]   the server's record
-- KEYS[4]   its workers
-- ARGV      prefix, now in ns, events, the server's id, how long the record lives in
--           seconds, the record or "" to remove it, then for each worker a name
--           and a record
--
-- Returns   "OK"
local id, ttl, record = ARGV[4], tonumber(ARGV[5]), ARGV[6]

-- named returns the members of set that are of the server with that id: whoever
-- removes it may not know its host.
local function named(set)
  local found, ending = {}, ":" .. id .. "}"
  for _, key in ipairs(redis.call("ZRANGE", set, 0, -1)) do
    if string.sub(key, -#ending) == ending then found[#found + 1] = key end
  end
  return found
end

local function remove(set, keys)
  for _, key in ipairs(keys) do
    redis.call("ZREM", set, key)
    redis.call("DEL", key)
  end
end

-- Records of servers that have died are removed by those that live, some at a
-- time.
for i = 1, 2 do
  remove(KEYS[i], redis.call("ZRANGEBYSCORE", KEYS[i], "-inf", now_s - 1, "LIMIT", 0, 100))
end

if record == "" then
  for i = 1, 2 do remove(KEYS[i], named(KEYS[i])) end
  return "OK"
end

redis.call("ZADD", KEYS[1], now_s_up + ttl, KEYS[3])
redis.call("ZADD", KEYS[2], now_s_up + ttl, KEYS[4])
redis.call("SET", KEYS[3], record, "EX", ttl)
redis.call("DEL", KEYS[4])
for i = 7, #ARGV, 2 do redis.call("HSET", KEYS[4], ARGV[i], ARGV[i + 1]) end
redis.call("EXPIRE", KEYS[4], ttl)
return "OK"
