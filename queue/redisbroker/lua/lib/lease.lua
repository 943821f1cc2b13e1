-- Leasing entries. A request has the fields
--   max, ends   how many at most, and the second in which the leases end
--   stem        what their tokens begin with
--   queues      {queue, first}, …: how many of the first pass are for each
--   pass        {queue, due} or {queue}, …: wakes to be given to somebody else
--
-- What take finds is put into what lib/answer.lua keeps.
local paused, batched, empty, begun = {}, {}, {}, {}

local function add_lease(queue, id, msg, rest)
  local n = #leases
  leases[n + 1], leases[n + 2], leases[n + 3], leases[n + 4] = queue, id, msg, rest
  n = 2 * granted
  held[n + 1], held[n + 2] = queue, id
  granted = granted + 1
end

-- missing is how many ids without an entry, or of entries that are not to be
-- leased, one script clears away at most.
local missing = 1000

-- documents_of returns version and body of each document that an entry reads:
-- home is its field leat_home, reads its field leat_reads.
local function documents_of(home, reads)
  if not reads then return nothing end
  local fields = {}
  for key in string.gmatch(reads, "%S+") do
    fields[#fields + 1] = "v:" .. key
    fields[#fields + 1] = "d:" .. key
  end
  return values_of(run_key(home_in(home)), fields)
end

-- body_of returns what a lease says of its entry beside the message: that, what
-- else there is, {words, home, reads, crashes, false, documents, lost}, since when it
-- is ready, whether it is to be cancelled, and whether it waits behind a claim. It
-- returns nothing if the entry is gone, or under another token than the one given.
local function body_of(queue, id, token)
  local f = redis.pcall("HMGET", entry_key(queue, id), "msg", "leat_ms", "leat_home", "leat_reads",
    "leat_crashes", "leat_token", "leat_cancel", "leat_behind", "leat_lost", "pending_since")
  if not f[1] or f.err or (token and f[6] ~= token) then return end
  return f[1], {f[2], f[3], f[4], f[5], false, documents_of(f[3], f[4]), f[9]}, f[10], f[7], f[8]
end

-- plain_of returns the message of an entry that has nothing else to be known, and
-- since when it is ready: of three fields that a hash has, two are these, and no entry
-- lacks its state.
local function plain_of(key)
  local f = redis.pcall("HMGET", key, "msg", "pending_since")
  if f[1] and f[2] and redis.call("HLEN", key) == 3 then return f[1], f[2] end
end

-- grant makes id, the next in line, leased. One that is leased alone has left
-- its group, how it had ended is over, and which lease of it was lost is told. A hash
-- grows less if it loses first.
local function grant(queue, id, msg, rest, request)
  local key = entry_key(queue, id)
  if rest then
    redis.call("HDEL", key, "pending_since", "group", "leat_end", "leat_joined", "leat_lost")
  else
    redis.call("HDEL", key, "pending_since")
  end
  redis.call("HSET", key, "state", "active", "leat_token", request.stem .. (granted + 1), "leat_until", request.ends)
  later("LPUSH", container(queue, "active"), id)
  later("ZADD", container(queue, "lease"), request.ends, id)
  add_lease(queue, id, msg, rest)
  record(queue, id, "active")
  local claim = rest and until_start(rest[1]) and redis.call("HGET", key, "unique_key")
  if claim then free_claim(queue, id, claim) end
end

-- withhold tells whether an entry that is next in line is not to be leased: it
-- was to be cancelled, or waits behind a claim. asynq knows of neither.
local function withhold(queue, id, cancelled, behind)
  if cancelled then
    archive(facts(queue, id), "cancelled")
    return true
  end
  if not behind then return false end
  local claim = redis.call("HGET", entry_key(queue, id), "unique_key")
  local ok, holder = pcall(holder_of, queue, claim)
  if ok and not holder then
    step_out(queue, id, claim)
    take_claim(claim, id)
    return false
  end
  redis.call("HSET", entry_key(queue, id), "state", "scheduled")
  redis.call("HDEL", entry_key(queue, id), "pending_since")
  wait_until("scheduled", queue, id, now_up + behind_retry)
  return true
end

-- look finds out how a queue stands. EXISTS counts a key as often as it is named.
local function look(queue)
  if paused[queue] ~= nil then return end
  local n = redis.call("EXISTS", container(queue, "paused"), container(queue, "paused"), container(queue, "leat:batches"))
  paused[queue], batched[queue] = n >= 2, n % 2 == 1
end

-- begin_leases notes when the first of the leases was taken that queue has: since
-- then Advance is to be called for it. It raises an error if they are damaged.
local function begin_leases(queue)
  expect("ZCARD", container(queue, "lease"))
  local active = expect("LLEN", container(queue, "active"))
  if begun[queue] then return end
  begun[queue] = true
  if active == 0 and not batched[queue] then redis.call("SET", container(queue, "leat:advanced"), now_ns) end
end

-- take leases at most most entries of queue.
local function take(queue, most, request)
  local pending = container(queue, "pending")
  look(queue)
  if paused[queue] then return end
  while most > 0 and missing > 0 and not empty[queue] do
    local ids = redis.call("LRANGE", pending, -most, -1)
    empty[queue] = #ids < most
    if #ids == 0 then return end
    begin_leases(queue)
    local messages, rests, waited, withheld = {}, {}, {}, {}
    for i = 1, #ids do
      local rest, cancelled, behind
      local msg, since = plain_of(entry_key(queue, ids[i]))
      if not msg then msg, rest, since, cancelled, behind = body_of(queue, ids[i]) end
      messages[i], rests[i], waited[i] = msg or false, rest or false, since or "0"
      withheld[i] = (cancelled or behind) and {cancelled, behind}
      if withheld[i] then expect_queue(queue) end
    end
    redis.call("LTRIM", pending, 0, -#ids - 1)
    for i = #ids, 1, -1 do
      local why = withheld[i]
      if messages[i] and not (why and withhold(queue, ids[i], why[1], why[2])) then
        grant(queue, ids[i], messages[i], rests[i], request)
        sinces[granted] = waited[i]
        most = most - 1
      elseif messages[i] then
        missing = missing - 1
      else
        parked[#parked + 1] = {queue, ids[i]}
        missing = missing - 1
      end
    end
  end
end

-- pass gives a wake to somebody else: one that is of no time only if there is
-- something ready, or are groups.
local function pass(queue, due)
  if due then return wake_at(queue, due) end
  local grouped = with_groups(queue)
  if grouped then
    if redis.call("EXISTS", container(grouped, "groups")) == 1 then wake_now(queue) end
    return
  end
  look(queue)
  if paused[queue] or empty[queue] then return end
  local n = redis.pcall("LLEN", container(queue, "pending"))
  if type(n) == "number" and n > 0 then wake_now(queue) end
end

-- keep_wakes notes wakes again, as far as what was ready has not been leased.
local function keep_wakes(noted)
  for queue, w in pairs(noted) do
    if w.ready and not empty[queue] then wake_now(queue) end
    if w.due then wake_at(queue, w.due) end
  end
end

-- lease leases up to request.max entries: a first pass gives each queue its
-- share, a second what is missing.
local function lease(request)
  local noted = wakes
  wakes = {}
  local function try(queue, most)
    if most <= 0 then return end
    local ok, fault = pcall(take, queue, math.min(most, request.max - granted), request)
    if not ok then faults[#faults + 1] = {queue, type(fault) == "table" and fault.err or fault} end
  end
  for _, share in ipairs(request.queues) do try(share[1], share[2]) end
  for _, share in ipairs(request.queues) do
    if granted < request.max then try(share[1], request.max) end
  end
  homes.flush()
  keep_wakes(noted)
  for _, w in ipairs(request.pass) do pass(w[1], w[2]) end
end
