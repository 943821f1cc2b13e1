-- Gather leases the oldest entries of a group as one batch, if the group is ripe.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, group, token, grace and longest delay
--           in seconds, how many at most, and the second in which the lease ends
--
-- Returns   {end of the lease, id, body, …}, with a body as lib/member.lua has it,
--           or nil if the group is not ripe, and what lib/wake.lua returns
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

-- freeze takes the oldest entries out of the group and into the batch, and returns
-- their ids and bodies. Ids without an entry are dropped, and what was to be
-- cancelled is.
local function freeze()
  local oldest, taken_out, starting = redis.call("ZRANGE", waiting, 0, most - 1, "WITHSCORES"), {}, {}
  for i = 1, #oldest, 2 do
    local id = oldest[i]
    local body, state, cancelled, claim = member(queue, id)
    later("ZREM", waiting, id)
    if state == "aggregating" and cancelled then
      archive(facts(queue, id), "cancelled")
    elseif state == "aggregating" then
      redis.call("HSET", entry_key(queue, id), "leat_token", token)
      later("ZADD", taken, oldest[i + 1], id)
      taken_out[#taken_out + 1] = id
      taken_out[#taken_out + 1] = body
      if claim and until_start(body[2]) then starting[id] = claim end
    end
  end
  flush()
  forget_if_empty(queue, group)
  if #taken_out == 0 then return end
  if not has_leases(queue) then redis.call("SET", container(queue, "leat:advanced"), now_ns) end
  let_last(queue, group, set, ends)
  for i = 1, #taken_out, 2 do
    if starting[taken_out[i]] then free_claim(queue, taken_out[i], starting[taken_out[i]]) end
  end
  flush()
  return taken_out
end

-- again returns the ids and bodies of what is left of the batch.
local function again()
  local left = {}
  for _, id in ipairs(redis.call("ZRANGE", taken, 0, -1)) do
    left[#left + 1] = id
    left[#left + 1] = (member(queue, id))
  end
  return left
end

expect_queue(queue)
local answer
local held = redis.call("ZSCORE", container(queue, "leat:batches"), set .. " " .. group)
if held and redis.call("EXISTS", taken) == 1 then
  ends, answer = held, again()
elseif is_ripe() then
  answer = freeze()
  homes.flush()
end
if answer then table.insert(answer, 1, ends) end
return {answer or false, leave_wakes()}
