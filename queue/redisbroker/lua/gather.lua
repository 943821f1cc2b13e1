-- Gather leases the oldest entries of a group as one batch, if the group is ripe.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, group, token, grace and longest delay
--           in seconds, how many at most, and the second in which the lease ends
--
-- Returns   {end of the lease, id, body, …}, with a body as lib/member.lua has it,
--           or nil if the group is not ripe
local queue, group, token = ARGV[4], ARGV[5], ARGV[6]
local grace, delay, most, ends = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10]
local waiting, set = group_key(queue, group), set_of(token)
local taken = batch_key(queue, group, set)

local function is_ripe()
  local n = redis.call("ZCARD", waiting)
  if n == 0 or n >= most or grace == 0 then return n > 0 end
  local oldest = tonumber(redis.call("ZRANGE", waiting, 0, 0, "WITHSCORES")[2])
  local newest = tonumber(redis.call("ZRANGE", waiting, -1, -1, "WITHSCORES")[2])
  return (delay > 0 and oldest + delay <= now_s) or newest + grace <= now_s
end

-- started frees the claim of an entry that is held until it starts.
local function started(queue, id)
  local f = redis.call("HMGET", entry_key(queue, id), "leat_ms", "unique_key")
  if f[2] and until_start(f[1]) then free_claim(queue, id, f[2]) end
end

-- freeze takes the oldest entries out of the group and into the batch. Ids without
-- an entry are dropped, and what was to be cancelled is.
local function freeze()
  local oldest = redis.call("ZRANGE", waiting, 0, most - 1, "WITHSCORES")
  local n = 0
  for i = 1, #oldest, 2 do
    local id, score = oldest[i], oldest[i + 1]
    local f = redis.call("HMGET", entry_key(queue, id), "state", "leat_cancel")
    later("ZREM", waiting, id)
    if f[1] == "aggregating" and f[2] then
      archive(facts(queue, id), "cancelled")
    elseif f[1] == "aggregating" then
      redis.call("HSET", entry_key(queue, id), "leat_token", token)
      later("ZADD", taken, score, id)
      n = n + 1
    end
  end
  flush()
  forget_if_empty(queue, group)
  if n == 0 then return false end
  if not has_leases(queue) then redis.call("SET", container(queue, "leat:advanced"), now_ns) end
  let_last(queue, group, set, ends)
  for i = 1, #oldest, 2 do started(queue, oldest[i]) end
  flush()
  return true
end

local held = redis.call("ZSCORE", container(queue, "leat:batches"), set .. " " .. group)
if held and redis.call("EXISTS", taken) == 1 then
  ends = held
elseif not (is_ripe() and freeze()) then
  return false
end
local answer = {ends}
for _, id in ipairs(redis.call("ZRANGE", taken, 0, -1)) do
  answer[#answer + 1] = id
  answer[#answer + 1] = member(queue, id)
end
return answer
