-- Extend makes leases that are held last until a second.
--
-- KEYS      what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, the second, then queue, id and token of each lease
--
-- Returns   for each lease 1 if it is held, and 0 if it is not
local ends = ARGV[3]
local held = {}
for i = 4, #ARGV, 3 do
  local queue, id, token = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local q, key = base(queue), entry_key(queue, id)
  local found = redis.pcall("HMGET", key, "leat_token", "state", "leat_until")
  local kept = found[1] == token and found[2] == "active" and found[3] == redis.pcall("ZSCORE", q .. "lease", id)
  if kept then
    redis.call("ZADD", q .. "lease", ends, id)
    redis.call("HSET", key, "leat_until", ends)
  end
  held[#held + 1] = kept and 1 or 0
end
return held
