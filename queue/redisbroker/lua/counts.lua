-- Counts reads the figures of queues.
--
-- KEYS      what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, events, day, then the queues
--
-- Returns   for each queue how many are pending, active, scheduled, retry,
--           archived and completed, how many were processed and failed on that
--           day, and ever, whether it is paused, how many groups and batches it
--           has, and since when the next one has been pending, in ns; what is not
--           known is nil
local function since(q)
  local id = redis.call("LINDEX", q .. "pending", -1)
  local ns = id and redis.pcall("HGET", q .. "t:" .. id, "pending_since")
  return type(ns) == "string" and ns
end

local all = {}
for i = 5, #ARGV do
  local q, counts = base(ARGV[i]), {}
  for _, list in ipairs({"pending", "active"}) do
    counts[#counts + 1] = redis.call("LLEN", q .. list)
  end
  for _, set in ipairs({"scheduled", "retry", "archived", "completed"}) do
    counts[#counts + 1] = redis.call("ZCARD", q .. set)
  end
  for _, counter in ipairs({"processed:" .. ARGV[4], "failed:" .. ARGV[4], "processed", "failed"}) do
    counts[#counts + 1] = tonumber(redis.call("GET", q .. counter)) or 0
  end
  counts[#counts + 1] = redis.call("EXISTS", q .. "paused")
  counts[#counts + 1] = redis.call("SCARD", q .. "groups") + redis.call("ZCARD", q .. "aggregation_sets")
  counts[#counts + 1] = since(q) or false
  all[#all + 1] = counts
end
return all
