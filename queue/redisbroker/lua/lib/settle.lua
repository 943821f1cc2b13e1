-- Settling leases. A settlement has the fields
--   queue, id, token, to   and, where the outcome needs them,
--   group                  the group, if the lease is that of a batch
--   at                     when it is due again, or its retention ends
--   failed                 whether it counts as a failure
--   ending                 why it is archived, if not for failures
--   msg, result, attempt   what to store; of one that is done, the fields of the
--                          message that are to be stored if it is kept
--   claim, hold            the key of the claim to free, and until when it is held
local day = ARGV[4] -- "2030-03-17"
local stats_ttl = 90 * 24 * 60 * 60

-- How long an entry that somebody waits for is kept once it is done, in ms.
local watch_retention = 60000

local lease_scores = {} -- by queue and id, as they were before this script

-- read_lease_scores reads the ends of all leases that changes settle, with one
-- command for each queue.
local function read_lease_scores(changes)
  local ids, queues = {}, {}
  for _, c in ipairs(changes) do
    for _, s in ipairs(c.settle or nothing) do
      if not ids[s.queue] then
        ids[s.queue] = {}
        queues[#queues + 1] = s.queue
      end
      table.insert(ids[s.queue], s.id)
    end
  end
  for _, queue in ipairs(queues) do
    local all, scores = ids[queue], {}
    for i = 1, #all, 1000 do
      local last = math.min(i + 999, #all)
      local found = redis.pcall("ZMSCORE", base(queue) .. "lease", unpack(all, i, last))
      if found.err then scores = found break end
      for j = i, last do scores[all[j]] = found[j - i + 1] end
      sizes[container(queue, "lease")] = true
    end
    lease_scores[queue] = scores
  end
end
table.insert(before_changes, read_lease_scores)

local goes_to = {completed = "completed", retry = "retry", archived = "archived", parked = "archived"}

-- What batch.lua does, in the builds that have it.
local batch = {}

-- check_settlement returns why s cannot be made, or nothing. The lease is held
-- if the token is that of the entry, and both the state and the lease's end are
-- those that were written with it: asynq's scripts leave our fields in place
-- when they take an entry over.
local function check_settlement(s)
  local queue = s.queue
  if lease_scores[queue].err then error(lease_scores[queue]) end
  expect("LLEN", container(queue, "active"))
  local held = redis.call("HMGET", entry_key(queue, s.id), "leat_token", "state", "leat_until", "leat_watch", "leat_cancel")
  local ours = held[1] == s.token
  if s.group then
    ours = ours and held[2] == "aggregating" and batch.holds(s)
  else
    ours = ours and held[2] == "active" and held[3] == lease_scores[queue][s.id]
  end
  if not ours then return {"LEASE_LOST", queue, s.id} end
  s.watched, s.cancelled = held[4], held[5]
  if s.claim then expect("GET", s.claim) end
  local goal = goes_to[s.to]
  if s.cancelled and (s.to == "released" or s.to == "retry") then goal = "archived" end
  if s.watched and s.to == "done" then goal = "completed" end
  if goal then
    expect("ZCARD", container(queue, goal))
    expect("ZCARD", container(queue, "leat:due"))
  elseif s.to == "released" then
    expect("LLEN", container(queue, "pending"))
  end
end

local processed, failed = {}, {} -- how much to add, by queue

local function count(counter, queue) counter[queue] = (counter[queue] or 0) + 1 end

-- keep stores what s says of its entry and gives it a state.
local function keep(s, state)
  local key = entry_key(s.queue, s.id)
  local fields = {"state", state}
  local function set(name, value)
    if value then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  set("msg", s.msg or (s.patch and redis.call("HGET", key, "msg") .. s.patch))
  set("result", s.result)
  set("leat_end", s.ending)
  set("leat_until", s.ending and now_s_up)
  if s.attempt then set("leat_attempts", with_attempt(redis.call("HGET", key, "leat_attempts"), s.attempt)) end
  redis.call("HDEL", key, "leat_token", "leat_until", "leat_crashes", "leat_cancel", "leat_end")
  redis.call("HSET", key, unpack(fields))
  record(s.queue, s.id, state)
end

local function free(s, archived)
  if s.claim then free_claim(s.queue, s.id, s.claim, s.hold and "hold=" .. s.hold, archived) end
  if s.watched then tell("ended", s.queue, s.id) end
end

local outcome = {}

function outcome.done(s)
  if s.watched then
    s.at = 0
    return outcome.completed(s)
  end
  redis.call("UNLINK", entry_key(s.queue, s.id))
  record(s.queue, s.id, "deleted")
  free(s)
  count(processed, s.queue)
end

function outcome.completed(s)
  local till = s.watched and math.max(s.at, now_up + watch_retention) or s.at
  keep(s, "completed")
  later("ZADD", container(s.queue, "completed"), seconds(till), s.id)
  free(s)
  count(processed, s.queue)
end

function outcome.retry(s)
  if s.cancelled then
    s.ending = "cancelled"
    return outcome.archived(s)
  end
  keep(s, "retry")
  wait_until("retry", s.queue, s.id, s.at, s.group)
  if s.failed then
    count(processed, s.queue)
    count(failed, s.queue)
  end
end

-- archived archives an entry. An end that is not the handler's leaves the exit.
function outcome.archived(s)
  keep(s, "archived")
  later("ZADD", container(s.queue, "archived"), now_s_up, s.id)
  free(s, true)
  if s.ending then leave_exit(redis.call("HGET", entry_key(s.queue, s.id), "leat_exit")) end
  count(processed, s.queue)
  if s.ending ~= "cancelled" and s.ending ~= "expired" then count(failed, s.queue) end
end

-- parked archives an entry that cannot be read. That is no outcome of it.
function outcome.parked(s)
  s.ending = "undecodable"
  keep(s, "archived")
  later("ZADD", container(s.queue, "archived"), now_s_up, s.id)
end

function outcome.released(s)
  local key = entry_key(s.queue, s.id)
  redis.call("HDEL", key, "leat_token", "leat_until")
  if s.cancelled then
    archive(facts(s.queue, s.id), "cancelled")
    count(processed, s.queue)
  elseif s.group then
    join_group(s.queue, s.id, s.group, s.score)
  else
    redis.call("HSET", key, "state", "pending")
    later("RPUSH", container(s.queue, "pending"), s.id)
    wake_now(s.queue)
    record(s.queue, s.id, "pending")
  end
end

local function settle(s)
  if s.group then
    batch.leave(s)
  else
    lose_oldest(container(s.queue, "active"), s.id)
    later("ZREM", container(s.queue, "lease"), s.id)
  end
  outcome[s.to](s)
end

-- add_to adds n to a counter. One that is full or no number begins anew.
local function add_to(key, n)
  local total = redis.pcall("INCRBY", key, n)
  if type(total) == "table" then
    redis.call("SET", key, n)
    total = n
  end
  return total
end

local function write_counts()
  for word, counter in pairs({processed = processed, failed = failed}) do
    for queue, n in pairs(counter) do
      local today = base(queue) .. word .. ":" .. day
      if add_to(today, n) == n then redis.call("EXPIRE", today, stats_ttl) end
      add_to(base(queue) .. word, n)
    end
  end
end
table.insert(after_changes, write_counts)
