-- Latches. One that is to be opened has the fields
--   id, total, window, stop_at, tolerate
--   parts    {entries, arrivals} of Then and of Else
-- An arrival is {latch, member, marked}.
--
-- A latch's figures are read once and written back by write_latches. What lies
-- with them in its hash is "then" and "else", until it completes.
local figures = {"total", "window", "stop_at", "tolerate", "fed", "released", "arrived", "marked", "stopped", "complete"}
local latches = {} -- by the key of the hash

function homes.has_latches(more) return more.open or more.feed or more.arrive end

local function latch(home, id)
  local key = latch_key("latch", home, id)
  local l = latches[key]
  if not l then
    l = {key = key, home = home, id = id}
    for i, n in ipairs(redis.call("HMGET", key, unpack(figures))) do l[figures[i]] = tonumber(n) or 0 end
    latches[key] = l
  end
  return l
end

local function write_latches()
  for key, l in pairs(latches) do
    if l.changed then
      redis.call("HSET", key, "fed", l.fed, "released", l.released, "arrived", l.arrived,
        "marked", l.marked, "stopped", l.stopped, "complete", l.complete)
    end
  end
end
table.insert(after_changes, write_latches)

-- homes.check_latches returns why c's latches cannot be opened, fed or reached, or
-- nothing.
function homes.check_latches(c)
  local opens, totals = {}, {}
  for _, l in ipairs(c.open or nothing) do opens[l.id] = l.total end
  local function total(id)
    if not totals[id] then
      totals[id] = tonumber(redis.call("HGET", latch_key("latch", c.home, id), "total") or opens[id] or -1)
    end
    return totals[id]
  end
  local function missing(arrivals)
    for _, a in ipairs(arrivals) do
      if a[2] >= total(a[1]) then return {"NO_LATCH", a[1]} end
    end
  end
  for _, l in ipairs(c.open or nothing) do
    if redis.call("EXISTS", latch_key("latch", c.home, l.id)) == 1 then return {"LATCH_EXISTS", l.id} end
    local problem = missing(l.parts[1][2]) or missing(l.parts[2][2])
    if problem then return problem end
  end
  for _, f in ipairs(c.feed or nothing) do
    if total(f.latch) < 0 then return {"NO_LATCH", f.latch} end
  end
  return missing(c.arrive or nothing)
end

local function open(home, l)
  local key = latch_key("latch", home, l.id)
  redis.call("HSET", key, "total", l.total, "window", l.window, "stop_at", l.stop_at, "tolerate", l.tolerate,
    "then", cmsgpack.pack(l.parts[1]), "else", cmsgpack.pack(l.parts[2]))
  later("SADD", latches_key(home), l.id)
  latches[key] = nil
end

local function window_lets_through(l)
  return l.window == 0 or l.released - l.arrived < l.window
end

-- release enqueues what waits in l, as much as its window lets through.
local function release(l)
  while l.fed > l.released and window_lets_through(l) do
    local waiting = redis.call("LPOP", latch_key("waiting", l.home, l.id))
    if not waiting then return end
    add_if_new(cmsgpack.unpack(waiting))
    l.released = l.released + 1
  end
end

local function feed(home, f)
  local l = latch(home, f.latch)
  if l.stopped + l.complete > 0 then return end
  local queued = l.fed > l.released
  for _, e in ipairs(f.entries) do
    queued = queued or not window_lets_through(l)
    if queued then
      redis.call("RPUSH", latch_key("waiting", home, f.latch), cmsgpack.pack(e))
    else
      add_if_new(e)
      l.released = l.released + 1
    end
    l.fed = l.fed + 1
  end
  l.changed = true
end

-- complete_if_all_arrived completes l if nothing is missing: it enqueues the
-- entries of Then or Else, and appends their arrivals to arrivals.
local function complete_if_all_arrived(l, arrivals)
  local all = l.arrived == l.total or (l.stopped == 1 and l.arrived >= l.released)
  if not all then return end
  l.complete, l.changed = 1, true
  local part = redis.call("HGET", l.key, l.marked > l.tolerate and "else" or "then")
  redis.call("HDEL", l.key, "then", "else")
  redis.call("UNLINK", latch_key("arrived", l.home, l.id), latch_key("waiting", l.home, l.id))
  part = cmsgpack.unpack(part)
  for _, e in ipairs(part[1]) do add_if_new(e) end
  for _, a in ipairs(part[2]) do arrivals[#arrivals + 1] = a end
end

-- arrive reports a member, and appends to arrivals those that the latch makes
-- if it completes by that.
local function arrive(home, a, arrivals)
  local l = latch(home, a[1])
  if l.complete == 1 then return end
  if redis.call("SETBIT", latch_key("arrived", home, l.id), a[2], 1) == 1 then return end
  l.arrived, l.changed = l.arrived + 1, true
  if a[3] then
    l.marked = l.marked + 1
    if l.marked == l.stop_at then
      l.stopped = 1
      redis.call("UNLINK", latch_key("waiting", home, l.id))
    end
  end
  complete_if_all_arrived(l, arrivals)
  if l.stopped + l.complete == 0 then release(l) end
end

-- homes.turn_latches opens, feeds and reaches the latches of c. Arrivals that
-- latches make as they complete wait behind those that wait already.
function homes.turn_latches(c)
  local arrivals = {}
  for _, l in ipairs(c.open or nothing) do open(c.home, l) end
  for _, l in ipairs(c.open or nothing) do complete_if_all_arrived(latch(c.home, l.id), arrivals) end
  for _, f in ipairs(c.feed or nothing) do feed(c.home, f) end
  for _, a in ipairs(c.arrive or nothing) do arrivals[#arrivals + 1] = a end
  local i = 1
  while arrivals[i] do
    arrive(c.home, arrivals[i], arrivals)
    i = i + 1
  end
end
