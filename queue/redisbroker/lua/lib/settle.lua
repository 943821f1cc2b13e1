-- Settling leases. A settlement has the fields
--   queue, id, token, to   and, where the outcome needs them,
--   group                  the group, if the lease is that of a batch
--   at                     when it is due again, or its retention ends
--   failed                 whether it counts as a failure
--   ending                 why it is archived, if not for failures
--   claim, hold            the key of the claim to free, and until when it is held
--   kept                   in MessagePack, what to store if the entry is kept:
--                          msg, result and attempt; of one that is done, patch is
--                          the fields of the message instead, and of one that is done
--                          or released, headers are those that it is to have
local day = ARGV[4] -- "2030-03-17"
local stats_ttl = 90 * 24 * 60 * 60

-- How long an entry that somebody waits for is kept once it is done, in ms.
local watch_retention = 60000

-- By queue: the keys of its leases, their ends by id, as they were before this
-- script, and what is wrong with them, if anything.
local leased = {}

-- read_leases reads the ends of all leases that changes settle, with one command
-- for each queue.
local function read_leases(changes)
  local queues = {}
  for i = 1, #changes do
    for _, s in ipairs(changes[i].settle) do
      local l = leased[s.queue]
      if not l then
        l = {active = container(s.queue, "active"), lease = container(s.queue, "lease"), ids = {}, scores = {}}
        leased[s.queue] = l
        queues[#queues + 1] = l
      end
      l.ids[#l.ids + 1] = s.id
    end
  end
  for _, l in ipairs(queues) do
    local sound, fault = pcall(expect, "LLEN", l.active)
    if not sound then l.fault = fault end
    for i = 1, #l.ids, 1000 do
      local last = math.min(i + 999, #l.ids)
      local found = redis.pcall("ZMSCORE", l.lease, unpack(l.ids, i, last))
      if found.err then l.fault = found break end
      for j = i, last do l.scores[l.ids[j]] = found[j - i + 1] end
      sizes[l.lease] = true
    end
  end
end
table.insert(before_changes, read_leases)

-- settlements_in returns the settlements that values have from at on, and where
-- these end.
local function settlements_in(values, at)
  local all, n = {}, values[at]
  for i = 1, n do
    local queue, id, token, to, s, kept = unpack(values, at + 1, at + 6)
    if s then
      s.queue, s.id, s.token, s.to, s.kept = queue, id, token, to, kept
    else
      s = {queue = queue, id = id, token = token, to = to, kept = kept}
    end
    all[i], at = s, at + 6
  end
  return all, at + 1
end

local goes_to = {completed = "completed", retry = "retry", archived = "archived", parked = "archived"}

-- What batch.lua does, in the builds that have it.
local batch = {}

-- check_settlement returns why s cannot be made, or nothing. The lease is held
-- if the token is that of the entry, and both the state and the lease's end are
-- those that were written with it: asynq's scripts leave our fields in place
-- when they take an entry over.
local function check_settlement(s)
  local queue, l = s.queue, leased[s.queue]
  if l.fault then error(l.fault, 0) end
  s.key = entry_key(queue, s.id)
  local held = redis.call("HMGET", s.key, "leat_token", "state", "leat_until", "leat_watch", "leat_cancel", "leat_home")
  local ours = held[1] == s.token
  if s.group then
    ours = ours and held[2] == "aggregating" and batch.holds(s)
  else
    ours = ours and held[2] == "active" and held[3] == l.scores[s.id]
  end
  if not ours then return {"LEASE_LOST", queue, s.id} end
  s.watched, s.cancelled, s.home = held[4], held[5], held[6]
  if s.home then homes.expect(s.home) end
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

-- mended returns the message of an entry with what is kept of its settlement.
local function mended(key, kept)
  local msg = redis.call("HGET", key, "msg") .. (kept.patch or "")
  return kept.headers and with_headers(msg, kept.headers) or msg
end

-- keep stores what s says of its entry and gives it a state and, if it is given, an
-- end.
local function keep(s, state, ending)
  local key, kept = s.key, s.kept and cmsgpack.unpack(s.kept) or nothing
  local fields = {"state", state}
  local function set(name, value)
    if value then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  set("msg", kept.msg or (kept.patch and mended(key, kept)))
  set("result", kept.result)
  set("leat_end", ending)
  set("leat_until", ending and now_s_up)
  if kept.attempt then set("leat_attempts", with_attempt(redis.call("HGET", key, "leat_attempts"), kept.attempt)) end
  redis.call("HDEL", key, "leat_token", "leat_until", "leat_began", "leat_crashes", "leat_cancel", "leat_end")
  redis.call("HSET", key, unpack(fields))
  record(s.queue, s.id, state)
end

-- finish does what is to be done as an entry ends.
local function finish(s, archived)
  if s.home then homes.ends(s.home, s.queue, s.id) end
  if s.claim then free_claim(s.queue, s.id, s.claim, s.hold and "hold=" .. s.hold, archived) end
  if s.watched then tell("ended", s.queue, s.id) end
end

local function complete(s, till)
  if s.watched then till = math.max(till, now_up + watch_retention) end
  keep(s, "completed")
  later("ZADD", container(s.queue, "completed"), seconds(till), s.id)
  finish(s)
  count(processed, s.queue)
end

-- give_up archives an entry. An end that is not the handler's leaves the exit.
local function give_up(s, ending)
  keep(s, "archived", ending)
  later("ZADD", container(s.queue, "archived"), now_s_up, s.id)
  finish(s, true)
  if ending then leave_exit(redis.call("HGET", s.key, "leat_exit")) end
  count(processed, s.queue)
  if ending ~= "cancelled" and ending ~= "expired" then count(failed, s.queue) end
end

local outcome = {}

function outcome.done(s)
  if s.watched then return complete(s, 0) end
  redis.call("UNLINK", s.key)
  record(s.queue, s.id, "deleted")
  finish(s)
  count(processed, s.queue)
end

function outcome.completed(s) complete(s, s.at) end

function outcome.retry(s)
  if s.cancelled then return give_up(s, "cancelled") end
  keep(s, "retry")
  wait_until("retry", s.queue, s.id, s.at, s.group)
  if s.failed then
    count(processed, s.queue)
    count(failed, s.queue)
  end
end

function outcome.archived(s) give_up(s, s.ending) end

-- parked archives an entry that cannot be read. That is no outcome of it.
function outcome.parked(s)
  keep(s, "archived", "undecodable")
  later("ZADD", container(s.queue, "archived"), now_s_up, s.id)
end

function outcome.released(s)
  if s.kept then redis.call("HSET", s.key, "msg", mended(s.key, cmsgpack.unpack(s.kept))) end
  redis.call("HDEL", s.key, "leat_token", "leat_until", "leat_began")
  if s.cancelled then
    archive(facts(s.queue, s.id), "cancelled")
    count(processed, s.queue)
  elseif s.group then
    join_group(s.queue, s.id, s.group, s.score)
  else
    redis.call("HSET", s.key, "state", "pending")
    later("RPUSH", container(s.queue, "pending"), s.id)
    wake_now(s.queue)
    record(s.queue, s.id, "pending")
  end
end

local function settle(s)
  if s.group then
    batch.leave(s)
  else
    local l = leased[s.queue]
    lose_oldest(l.active, s.id)
    later("ZREM", l.lease, s.id)
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
