-- Gather leases the oldest entries of a group as one batch, if the group is ripe.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, group, token, grace and longest delay
--           in seconds, how many and how many bytes at most, 0 for any, and the second
--           in which the lease ends
--
-- Returns   {end of the lease, id, body, …}, with a body as lib/member.lua has it,
--           and unless it is told again which lease was lost and the time at which
--           the entry joined the group, in ms; or nil if the group is not ripe; the second in which it is ripe next, -1
--           if it is now, 0 if nothing waits in it; and what lib/wake.lua returns
local queue, group, token = ARGV[4], ARGV[5], ARGV[6]
local grace, delay, most = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local most_bytes, ends = tonumber(ARGV[10]), ARGV[11]
local waiting, set = group_key(queue, group), set_of(token)
local taken = batch_key(queue, group, set)

-- payload_size returns how many bytes the payload in a message has: field 2, which
-- has at most field 1 before it.
local function payload_size(msg)
  local at, tag = 1, string.byte(msg, 1)
  while tag == 10 or tag == 18 do
    local size, from = varint(msg, at + 1)
    if tag == 18 then return size end
    at = from + size
    tag = string.byte(msg, at)
  end
  return 0
end

-- is_heavy tells whether those that wait, fewer than a batch may have, have enough
-- bytes.
local function is_heavy()
  local bytes = 0
  for _, id in ipairs(redis.call("ZRANGE", waiting, 0, most - 1)) do
    bytes = bytes + payload_size(fields_of(entry_key(queue, id), "msg")[1] or "")
    if bytes >= most_bytes then return true end
  end
  return false
end

local is_now = -1

-- ripens returns when the group is ripe, as this script does.
local function ripens()
  local n = redis.call("ZCARD", waiting)
  if n == 0 then return 0 end
  if n >= most or grace == 0 then return is_now end
  local at = tonumber(redis.call("ZRANGE", waiting, -1, -1, "WITHSCORES")[2]) + grace
  if delay > 0 then
    at = math.min(at, tonumber(redis.call("ZRANGE", waiting, 0, 0, "WITHSCORES")[2]) + delay)
  end
  if at <= now_s or (most_bytes > 0 and is_heavy()) then return is_now end
  return at
end

-- joined_at returns when an entry joined the group that has a score there: a time
-- beside it counts only if, rounded up, it is the score.
local function joined_at(joined, score)
  if joined and seconds(tonumber(joined)) == tonumber(score) then return joined end
  return string.format("%.0f", score * 1000)
end

-- freeze takes the oldest entries out of the group and into the batch, as many as may
-- be in it, and returns their ids and bodies. Ids without an entry are dropped, and
-- what was to be cancelled is.
local function freeze()
  local oldest, taken_out, starting = redis.call("ZRANGE", waiting, 0, most - 1, "WITHSCORES"), {}, {}
  local bytes = 0
  for i = 1, #oldest, 2 do
    local id = oldest[i]
    local body, state, cancelled, claim, lost, joined = member(queue, id)
    if most_bytes > 0 and state == "aggregating" and not cancelled then
      bytes = bytes + payload_size(body[1] or "")
      if bytes > most_bytes and #taken_out > 0 then break end
    end
    later("ZREM", waiting, id)
    if state == "aggregating" and cancelled then
      archive(facts(queue, id), "cancelled")
    elseif state == "aggregating" then
      if lost then redis.call("HDEL", entry_key(queue, id), "leat_lost") end
      redis.call("HSET", entry_key(queue, id), "leat_token", token, "leat_began", now_up)
      body[8], body[9] = lost, joined_at(joined, oldest[i + 1])
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
local next_ripe = ripens()
local held = redis.call("ZSCORE", container(queue, "leat:batches"), set .. " " .. group)
if held and redis.call("EXISTS", taken) == 1 then
  ends, answer = held, again()
elseif next_ripe == is_now then
  answer = freeze()
  homes.flush()
  next_ripe = ripens()
end
if answer then table.insert(answer, 1, ends) end
return {answer or false, next_ripe, leave_wakes()}
