-- Advance does what time has made due in queues, in their order: due entries
-- become ready, entries whose lease ran out too, completed ones go when their
-- retention has ended, and homes when theirs has.
--
-- KEYS      what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, limit, then the queues
--
-- Returns   how many were due, recovered, expired and closed, when there is next
--           something to do, in ms, or 0, and {queue, error} for each queue that
--           is damaged: the others do not wait for it
local left = tonumber(ARGV[3])
local done = {0, 0, 0, 0}

local function did(which, n)
  done[which] = done[which] + n
  left = left - n
end

-- asynq's own leases are recovered late, as asynq does.
local asynq_grace = 30

-- How many leases of asynq's one script looks past.
local looks = 500

-- How many latches one script deletes.
local latches_left = 500

-- state_of returns the state of an entry, or nothing if there is none.
local function state_of(queue, id)
  local state = redis.pcall("HGET", entry_key(queue, id), "state")
  return type(state) == "string" and state
end

-- is_stale tells whether an exact time belongs to nothing that waits. What
-- asynq has moved leaves one behind.
local function is_stale(queue, id, due)
  for _, state in ipairs({"scheduled", "retry"}) do
    local score = redis.call("ZSCORE", base(queue) .. state, id)
    if score and tonumber(score) == seconds(due) then return false end
  end
  return true
end

-- due returns at most left entries of queue that are due, {id, due, state}, in
-- order. Each of the three sources gives its first left, so that the first left
-- of all are among them.
local function due(queue)
  local q, found, seen = base(queue), {}, {}
  local exact = redis.call("ZRANGEBYSCORE", q .. "leat:due", "-inf", now, "WITHSCORES", "LIMIT", 0, left + looks)
  local function collect(id, at)
    if not seen[id] then
      seen[id] = true
      found[#found + 1] = {id, at}
    end
  end
  for i = 1, #exact, 2 do
    if is_stale(queue, exact[i], tonumber(exact[i + 1])) then
      redis.call("ZREM", q .. "leat:due", exact[i])
    else
      collect(exact[i], tonumber(exact[i + 1]))
    end
  end
  for _, state in ipairs({"scheduled", "retry"}) do
    local whole = redis.call("ZRANGEBYSCORE", q .. state, "-inf", now_s, "WITHSCORES", "LIMIT", 0, left)
    for i = 1, #whole, 2 do collect(whole[i], exact_due(queue, whole[i], tonumber(whole[i + 1]))) end
  end
  table.sort(found, sooner)
  return found
end

local function make_due_ready(queue)
  local q, n = base(queue), 0
  for _, e in ipairs(due(queue)) do
    if n == left then break end
    local id = e[1]
    if state_of(queue, id) then
      redis.call("HSET", entry_key(queue, id), "state", "pending", "pending_since", now_ns)
      later("LPUSH", q .. "pending", id)
      n = n + 1
    end
    for _, set in ipairs({"scheduled", "retry", "leat:due"}) do later("ZREM", q .. set, id) end
  end
  did(1, n)
end

-- run_out returns at most left entries whose lease has run out. A lease is ours
-- if its end is the one that we wrote into the entry.
local function run_out(queue)
  local q, found = base(queue), {}
  local ended = redis.call("ZRANGEBYSCORE", q .. "lease", "-inf", now_s, "WITHSCORES", "LIMIT", 0, left + looks)
  for i = 1, #ended, 2 do
    if #found == left then break end
    local id, score = ended[i], ended[i + 1]
    local f = redis.pcall("HMGET", entry_key(queue, id), "state", "leat_until")
    if f[1] ~= "active" then -- the lease of nothing
      later("ZREM", q .. "lease", id)
      if not f[1] then redis.call("LREM", q .. "active", 0, id) end
    elseif f[2] == score or tonumber(score) <= now_s - asynq_grace then
      found[#found + 1] = id
    end
  end
  return found
end

-- recover puts entries whose lease has run out at the front, the first one first.
local function recover(queue)
  local q, ended = base(queue), run_out(queue)
  for i = #ended, 1, -1 do
    local key = entry_key(queue, ended[i])
    redis.call("HDEL", key, "leat_token", "leat_until")
    redis.call("HSET", key, "state", "pending", "pending_since", now_ns)
    redis.call("LREM", q .. "active", -1, ended[i])
    later("ZREM", q .. "lease", ended[i])
    later("RPUSH", q .. "pending", ended[i])
  end
  did(2, #ended)
end

local function expire(queue)
  local q = base(queue)
  local past = redis.call("ZRANGEBYSCORE", q .. "completed", "-inf", now_s, "LIMIT", 0, left)
  for _, id in ipairs(past) do
    redis.call("UNLINK", entry_key(queue, id))
    later("ZREM", q .. "completed", id)
  end
  did(3, #past)
end

-- delete_home deletes the documents of a home and then its latches, and tells
-- whether nothing is left. A home with very many latches takes several calls.
local function delete_home(home)
  redis.call("UNLINK", run_key(home))
  local set = latches_key(home)
  local ids = redis.call("SPOP", set, latches_left)
  for _, id in ipairs(ids) do
    redis.call("UNLINK", latch_key("latch", home, id), latch_key("arrived", home, id), latch_key("waiting", home, id))
  end
  latches_left = latches_left - #ids
  return redis.call("EXISTS", set) == 0
end

local function close(queue)
  local closing = base(queue) .. "leat:closing"
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", closing, "-inf", now, "LIMIT", 0, left)) do
    if latches_left == 0 or not delete_home({queue, id}) then return end
    redis.call("ZREM", closing, id)
    did(4, 1)
  end
end

local steps = {make_due_ready, recover, expire, close}

-- next_in returns when there is next something to do in queue.
local function next_in(queue)
  local q, soonest = base(queue), math.huge
  local function consider(set, scale)
    local first = redis.call("ZRANGE", q .. set, 0, 0, "WITHSCORES")
    if first[2] then soonest = math.min(soonest, tonumber(first[2]) * scale) end
  end
  for set, scale in pairs({["leat:due"] = 1, scheduled = 1000, retry = 1000, completed = 1000, ["leat:closing"] = 1}) do
    consider(set, scale)
  end
  local first = redis.call("ZRANGE", q .. "lease", 0, 0, "WITHSCORES")
  local after = redis.call("ZRANGEBYSCORE", q .. "lease", "(" .. now_s, "+inf", "WITHSCORES", "LIMIT", 0, 1)
  if first[2] and tonumber(first[2]) <= now_s then -- asynq's, in its grace
    soonest = math.min(soonest, (tonumber(first[2]) + asynq_grace) * 1000)
  end
  if after[2] then soonest = math.min(soonest, tonumber(after[2]) * 1000) end
  return soonest
end

-- advance makes all steps in one queue, and returns when there is next
-- something to do in it. Each step reads what may be damaged before it writes.
local function advance(queue)
  expect("LLEN", container(queue, "pending"))
  expect("LLEN", container(queue, "active"))
  for _, step in ipairs(steps) do
    if left > 0 then step(queue) end
    flush()
  end
  return next_in(queue)
end

local soonest, faults = math.huge, {}
for i = 4, #ARGV do
  local ok, result = pcall(advance, ARGV[i])
  if ok then
    soonest = math.min(soonest, result)
  else
    faults[#faults + 1] = {ARGV[i], type(result) == "table" and result.err or result}
    discard()
  end
end
if left == 0 then soonest = math.min(soonest, now) end
if soonest == math.huge then soonest = 0 end
return {done[1], done[2], done[3], done[4], string.format("%.0f", soonest), faults}
