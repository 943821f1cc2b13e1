-- List reads a page of the entries of a queue that are in one state.
--
-- KEYS[1]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, state, group, offset, limit, "1" for
--           the newest first, then the place behind which the page begins: in
--           pending an index and ids, the last first, else a time in ms and an id
--
-- Returns   the entries, each as lib/read.lua has it; in pending after the index of
--           the first one
local queue, state, group = ARGV[4], ARGV[5], ARGV[6]
local offset, limit, newest = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9] == "1"

-- behind returns the index after the first of the ids that is still in the list of
-- pending entries: near where it was, or found by a search. If all are gone, what
-- was behind them may be anywhere.
local function behind(list)
  local index = tonumber(ARGV[10])
  if not index then return 0 end
  for i = 11, #ARGV do
    local at = index - (i - 11)
    local there = redis.call("LINDEX", list, newest and at or -at - 1)
    if there == ARGV[i] then return at + 1 end
  end
  for i = 11, #ARGV do
    local at = redis.call("LPOS", list, ARGV[i], "RANK", newest and 1 or -1)
    if at then return (newest and at or redis.call("LLEN", list) - at - 1) + 1 end
  end
  return 0
end

local function turned(list)
  local back = {}
  for i = #list, 1, -1 do back[#back + 1] = list[i] end
  return back
end

local function pending()
  local list = container(queue, "pending")
  local from, ids = behind(list) + offset, nil
  if newest then
    ids = redis.call("LRANGE", list, from, from + limit - 1)
  else
    ids = turned(redis.call("LRANGE", list, -from - limit, -from - 1))
  end
  for i, id in ipairs(ids) do ids[i] = {id, 0, 0} end
  return ids, from
end

local function sorted(set)
  local from, to
  local n = redis.call("ZCARD", set)
  local ahead, at = newest and n or 0, 0
  if ARGV[10] then ahead, at = rank_of(queue, state, set, {tonumber(ARGV[10]), ARGV[11]}) end
  if newest then
    to = ahead - offset
    from = to - limit
  else
    from = ahead + at + offset
    to = from + limit
  end
  local entries = page(queue, state, set, math.max(from, 0), math.min(to, n))
  return newest and turned(entries) or entries
end

local entries, index
if state == "pending" then
  entries, index = pending()
elseif state == "aggregating" then
  entries = sorted(group_key(queue, group))
else
  entries = sorted(container(queue, state == "active" and "lease" or state))
end

local found = {}
if index then found[1] = index end
for _, entry in ipairs(entries) do
  local e = read(queue, entry[1], entry[3])
  if e and e[2] == state then found[#found + 1] = e end
end
return found
