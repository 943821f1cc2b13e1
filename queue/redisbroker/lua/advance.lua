-- Advance does what time has made due in queues, in their order: due entries
-- become ready, entries whose lease ran out too, completed ones go when their
-- retention has ended, homes when theirs has, batches whose lease ran out go back
-- to their groups, and the archive loses what is not to be kept.
--
-- KEYS[1]   set of queues
-- KEYS[2…]  what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, events, limit, how many archived entries are kept,
--           for how many ms, and how many bytes of them, 0 for any; then the queues
--
-- Returns   how many were due, recovered, expired, closed, returned, trimmed and
--           cancelled, when there is next something to do, in ms, or 0,
--           {queue, error} for each queue that is damaged: the others do not wait
--           for it, and what lib/wake.lua returns
local left = tonumber(ARGV[4])
local keep_count, keep_ms, keep_bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local done = {due = 0, recovered = 0, expired = 0, closed = 0, returned = 0, trimmed = 0, cancelled = 0}

local function did(what, n)
  done[what] = done[what] + n
  left = left - n
end

-- asynq's own leases are recovered late, as asynq does.
local asynq_grace = 30

-- If nobody has come for longer than away_after, in ms, nothing is taken back for
-- as long again.
local away_after = 5000

-- How many leases of asynq's one script looks past.
local looks = 500

-- How many latches one script deletes.
local latches_left = 500

-- How many archived entries are looked at by those who trim, and how many are
-- weighed.
local oldest, weighed = 500, 20

-- Whether an archive has still too much in it.
local overfull = false

-- is_stale tells whether an exact time belongs to nothing that waits. What
-- asynq has moved leaves one behind.
local function is_stale(queue, id, due)
  for _, state in ipairs({"scheduled", "retry"}) do
    local score = redis.call("ZSCORE", container(queue, state), id)
    if score and tonumber(score) == seconds(due) then return false end
  end
  return true
end

-- due returns at most left entries of queue that are due, {id, due}, in order.
-- Each of the three sources gives its first left, so that the first left of all
-- are among them.
local function due(queue)
  local found, seen = {}, {}
  local exact = redis.call("ZRANGEBYSCORE", container(queue, "leat:due"), "-inf", now, "WITHSCORES", "LIMIT", 0, left + looks)
  local function collect(id, at)
    if not seen[id] then
      seen[id] = true
      found[#found + 1] = {id, at}
    end
  end
  for i = 1, #exact, 2 do
    if is_stale(queue, exact[i], tonumber(exact[i + 1])) then
      redis.call("ZREM", container(queue, "leat:due"), exact[i])
    else
      collect(exact[i], tonumber(exact[i + 1]))
    end
  end
  for _, state in ipairs({"scheduled", "retry"}) do
    local whole = redis.call("ZRANGEBYSCORE", container(queue, state), "-inf", now_s, "WITHSCORES", "LIMIT", 0, left)
    for i = 1, #whole, 2 do collect(whole[i], exact_due(queue, whole[i], tonumber(whole[i + 1]))) end
  end
  table.sort(found, sooner)
  return found
end

-- cancel archives an entry that would be ready again.
local function cancel(queue, id)
  archive(facts(queue, id), "cancelled")
  did("cancelled", 1)
end

-- wait_again lets an entry wait behind its claim as long again, unless that is
-- free: then it takes it.
local function wait_again(queue, id)
  local claim = redis.call("HGET", entry_key(queue, id), "unique_key")
  local ok, holder = pcall(holder_of, queue, claim)
  if claim and (not ok or holder) then
    redis.call("ZREM", container(queue, "leat:due"), id)
    wait_until("scheduled", queue, id, now_up + behind_retry)
    return true
  end
  if claim then
    step_out(queue, id, claim)
    take_claim(claim, id)
  end
  return false
end

-- come makes an entry that is due ready, or what else it is to be, and tells
-- whether it does not wait any more.
local function come(queue, id)
  local f = fields_of(entry_key(queue, id), "state", "leat_cancel", "leat_behind", "group")
  if not f[1] then return true end
  if f[2] then
    cancel(queue, id)
  elseif f[3] and wait_again(queue, id) then
    return false
  elseif f[4] then
    if not pcall(expect, "ZCARD", group_key(queue, f[4])) then return false end
    redis.call("HSET", entry_key(queue, id), "state", "aggregating", "leat_joined", now_up)
    join_group(queue, id, f[4], now_s_up)
    record(queue, id, "aggregating")
    later("ZREM", container(queue, "leat:grouped"), id)
    did("due", 1)
  else
    make_ready(queue, id)
    did("due", 1)
  end
  return true
end

local function make_due_ready(queue)
  for _, e in ipairs(due(queue)) do
    if left == 0 then return end
    if come(queue, e[1]) then
      for _, set in ipairs({"scheduled", "retry", "leat:due"}) do later("ZREM", container(queue, set), e[1]) end
    end
  end
end

-- name_groups adds the names of groups into which asynq has moved entries that
-- were scheduled by us, and forgets those that went elsewhere.
local function name_groups(queue)
  local grouped = container(queue, "leat:grouped")
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", grouped, "-inf", now_s, "LIMIT", 0, looks)) do
    local f = fields_of(entry_key(queue, id), "state", "group")
    if f[1] ~= "scheduled" and f[1] ~= "retry" then redis.call("ZREM", grouped, id) end
    if f[1] == "aggregating" and f[2] then has_joined(queue, f[2]) end
  end
end

-- run_out returns at most left entries whose lease has run out, {id, whether it is
-- to be cancelled, whether the lease is ours}. That is so if its end is the one that we
-- wrote into the entry.
local function run_out(queue)
  local found = {}
  local ended = redis.call("ZRANGEBYSCORE", container(queue, "lease"), "-inf", now_s, "WITHSCORES", "LIMIT", 0, left + looks)
  for i = 1, #ended, 2 do
    if #found == left then break end
    local id, score = ended[i], ended[i + 1]
    local f = fields_of(entry_key(queue, id), "state", "leat_until", "leat_cancel")
    if f[1] ~= "active" then -- the lease of nothing
      later("ZREM", container(queue, "lease"), id)
      if not f[1] then redis.call("LREM", container(queue, "active"), 0, id) end
    elseif f[2] == score or tonumber(score) <= now_s - asynq_grace then
      found[#found + 1] = {id, f[3], f[2] == score}
    end
  end
  return found
end

-- recover puts entries whose lease has run out at the front, the first one first.
local function recover(queue)
  local back = {}
  for _, e in ipairs(run_out(queue)) do
    local id = e[1]
    crash(queue, id, e[3])
    lose_oldest(container(queue, "active"), id)
    later("ZREM", container(queue, "lease"), id)
    if e[2] then
      cancel(queue, id)
    else
      back[#back + 1] = id
    end
  end
  for i = #back, 1, -1 do
    redis.call("HSET", entry_key(queue, back[i]), "state", "pending", "pending_since", now_ns)
    later("RPUSH", container(queue, "pending"), back[i])
    record(queue, back[i], "pending")
  end
  if #back > 0 then wake_now(queue) end
  did("recovered", #back)
end

local function expire(queue)
  local past = redis.call("ZRANGEBYSCORE", container(queue, "completed"), "-inf", now_s, "LIMIT", 0, left)
  for _, id in ipairs(past) do
    redis.call("UNLINK", entry_key(queue, id))
    later("ZREM", container(queue, "completed"), id)
    record(queue, id, "deleted")
  end
  did("expired", #past)
end

-- delete_home deletes the documents of a home and then its latches, and tells
-- whether nothing is left. A home with very many latches takes several calls.
local function delete_home(home)
  homes.unlist(home)
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
    did("closed", 1)
  end
end

-- give_back returns entries of a batch to their group, as far as the limit lets it,
-- and tells whether all are.
local function give_back(queue, group, set)
  local key = batch_key(queue, group, set)
  expect("ZCARD", group_key(queue, group))
  local members, joins = redis.call("ZRANGE", key, 0, left - 1, "WITHSCORES"), false
  for i = 1, #members, 2 do
    later("ZREM", key, members[i])
    if fields_of(entry_key(queue, members[i]), "state")[1] == "aggregating" then
      crash(queue, members[i], true)
      join_group(queue, members[i], group, members[i + 1])
      joins = true
    end
  end
  did("returned", #members / 2)
  flush()
  -- asynq may have given back what it took, without the name.
  if not joins and redis.call("EXISTS", group_key(queue, group)) == 1 then has_joined(queue, group) end
  if redis.call("EXISTS", key) == 1 then return false end
  forget_batch(queue, group, set)
  return true
end

local function return_batches(queue)
  for _, name in ipairs(redis.call("ZRANGEBYSCORE", container(queue, "leat:batches"), "-inf", now_s, "LIMIT", 0, left)) do
    local set, group = string.match(name, "^(%S+) (%S+)$")
    if left == 0 or not give_back(queue, group, set) then return end
  end
  local begin = group_key(queue, "")
  for _, key in ipairs(redis.call("ZRANGEBYSCORE", container(queue, "aggregation_sets"), "-inf", now_s, "LIMIT", 0, left)) do
    local group, set = string.match(string.sub(key, #begin + 1), "^(.*):([^:]*)$")
    if not group then
      redis.call("ZREM", container(queue, "aggregation_sets"), key)
    elseif left == 0 or not give_back(queue, group, set) then
      return
    end
  end
end

-- weight returns about how many bytes one of n archived entries has.
local function weight(queue, n)
  local total, some = 0, math.min(n, weighed)
  for i = 0, some - 1 do
    local id = redis.call("ZRANGE", container(queue, "archived"), math.floor(i * n / some), math.floor(i * n / some))[1]
    local key = entry_key(queue, id)
    total = total + redis.call("HSTRLEN", key, "msg") + redis.call("HSTRLEN", key, "result")
  end
  return total / some
end

-- surplus returns how many of n archived entries are too many.
local function surplus(queue, n)
  local most = keep_count > 0 and math.max(n - keep_count, 0) or 0
  if keep_ms > 0 then
    local last = string.format("%.0f", math.floor((now - keep_ms) / 1000))
    most = math.max(most, redis.call("ZCOUNT", container(queue, "archived"), "-inf", last))
  end
  if keep_bytes > 0 and n > 0 then
    local each = weight(queue, n)
    if each * n > keep_bytes then most = math.max(most, math.ceil(n - keep_bytes / each)) end
  end
  return most
end

-- trim deletes archived entries that are not to be kept, except those that are
-- parked. These are looked past.
local function trim(queue)
  if keep_count + keep_ms + keep_bytes == 0 then return end
  local archived = container(queue, "archived")
  local excess = surplus(queue, redis.call("ZCARD", archived))
  local most = math.min(left, excess)
  if most == 0 then return end
  local before_it = done.trimmed
  for _, id in ipairs(redis.call("ZRANGE", archived, 0, oldest - 1)) do
    if most == 0 then break end
    local e = facts(queue, id)
    if not e or e.state ~= "archived" then
      later("ZREM", archived, id)
    elseif not is_parked(queue, id, e.ending, e.ends) then
      later("ZREM", archived, id)
      delete(e)
      did("trimmed", 1)
      most = most - 1
    end
  end
  local trimmed = done.trimmed - before_it
  overfull = overfull or (trimmed > 0 and trimmed < excess)
end

-- since returns how long ago a time in ns was, in ms.
local function since(ns)
  return now - tonumber(string.sub(ns, 1, -7)) + (tonumber(string.sub(now_ns, -6)) - tonumber(string.sub(ns, -6))) / 1e6
end

-- rest returns until when, in ms, nothing is taken back in queue, because nobody had
-- come for too long while it had leases, or nothing. It notes that somebody has.
local function rest(queue)
  local noted, resting = container(queue, "leat:advanced"), container(queue, "leat:resting")
  local f = redis.call("MGET", noted, resting)
  local till = tonumber(f[2] or 0)
  if has_leases(queue) then
    if f[1] and since(f[1]) > away_after then
      till = now_up + away_after
      redis.call("SET", resting, till)
    end
    redis.call("SET", noted, now_ns)
  end
  if till > now then return till end
  if f[2] then redis.call("DEL", resting) end
end

local function nothing_more() end

-- next_in returns when there is next something to do in queue. Nothing is taken
-- back before resting.
local function next_in(queue, resting)
  local soonest = math.huge
  local function consider(set, scale, least)
    local first = redis.call("ZRANGE", container(queue, set), 0, 0, "WITHSCORES")
    if first[2] then soonest = math.min(soonest, math.max(tonumber(first[2]) * scale, least or 0)) end
  end
  for set, scale in pairs({["leat:due"] = 1, scheduled = 1000, retry = 1000, completed = 1000, ["leat:closing"] = 1}) do
    consider(set, scale)
  end
  consider("leat:batches", 1000, resting)
  consider("aggregation_sets", 1000, resting)
  local first = redis.call("ZRANGE", container(queue, "lease"), 0, 0, "WITHSCORES")
  local after = redis.call("ZRANGEBYSCORE", container(queue, "lease"), "(" .. now_s, "+inf", "WITHSCORES", "LIMIT", 0, 1)
  if first[2] and tonumber(first[2]) <= now_s then -- asynq's, in its grace
    soonest = math.min(soonest, resting or (tonumber(first[2]) + asynq_grace) * 1000)
  end
  if after[2] then soonest = math.min(soonest, math.max(tonumber(after[2]) * 1000, resting or 0)) end
  return soonest
end

-- advance makes all steps in one queue, and returns until when that rests, if it
-- does. Each step reads what may be damaged before it writes.
local function advance(queue)
  expect_queue(queue)
  local resting = rest(queue)
  local steps = {
    make_due_ready, name_groups, resting and nothing_more or recover, expire, close,
    resting and nothing_more or return_batches, trim,
  }
  for _, step in ipairs(steps) do
    if left > 0 then step(queue) end
    flush()
  end
  if not has_leases(queue) then redis.call("DEL", container(queue, "leat:advanced")) end
  return resting
end

local faults = {}

-- attempt calls f with a queue and what follows, and returns whether the queue was
-- sound, and what f returned.
local function attempt(f, queue, ...)
  local ok, result = pcall(f, queue, ...)
  if ok then return true, result end
  faults[#faults + 1] = {queue, type(result) == "table" and result.err or result}
  discard()
  return false
end

local resting = {} -- by queue that is sound: until when, or false
for i = 8, #ARGV do
  local ok, till = attempt(advance, ARGV[i])
  if ok then resting[ARGV[i]] = till or false end
end
homes.flush()
local soonest = math.huge
for queue, till in pairs(resting) do
  local ok, at = attempt(next_in, queue, till)
  if ok then soonest = math.min(soonest, at) end
end
if left == 0 or overfull then soonest = math.min(soonest, now) end
if soonest == math.huge then soonest = 0 end
return {done.due, done.recovered, done.expired, done.closed, done.returned, done.trimmed, done.cancelled,
  string.format("%.0f", soonest), faults, leave_wakes()}
