-- Timetable writes the record of a scheduler as asynq does, or removes it.
--
-- KEYS[1]   sorted set of the names of all schedulers' records, by when they end
-- KEYS[2]   the scheduler's record, a list of its entries
-- ARGV      prefix, now in ns, events, the scheduler's id, how long the record lives
--           in seconds or 0 to remove it, then the entries
--
-- Returns   "OK"
local id, ttl = ARGV[4], tonumber(ARGV[5])

local function remove(key)
  redis.call("ZREM", KEYS[1], key)
  redis.call("DEL", key)
end

-- Records of schedulers that have died are removed by those that live, some at a
-- time.
for _, key in ipairs(redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now_s - 1, "LIMIT", 0, 100)) do
  remove(key)
end

-- So is what there is of the scheduler itself: whoever removes it may not know its
-- host.
for _, key in ipairs(redis.call("ZRANGE", KEYS[1], 0, -1)) do
  if string.match(key, "{[^:{}]*:[^:{}]*:([^{}]*)}$") == id then remove(key) end
end

if ttl > 0 then
  redis.call("ZADD", KEYS[1], now_s_up + ttl, KEYS[2])
  for i = 6, #ARGV do redis.call("RPUSH", KEYS[2], ARGV[i]) end
  redis.call("EXPIRE", KEYS[2], ttl)
end
return "OK"
