-- Homes reads a page of the homes beside a queue that are listed with some terms. It
-- walks through the smallest of the sets in question, for a thousand steps at most.
--
-- KEYS[1]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, limit, "1" for the newest first, from
--           and to in ms, the place behind which the page begins, a time in ms and
--           an id, each of these "" if there is none, then the terms
--
-- Returns   id and time in ms of each, one after another, and the place at which the
--           next page begins, {time in ms, id}, or nil if there is none
local queue, limit, newest = ARGV[4], tonumber(ARGV[5]), ARGV[6] == "1"
local looks, at_once = 1000, 200

local function ahead_of(set, ms) return redis.call("ZCOUNT", set, "-inf", "(" .. ms) end

-- span returns the ranks of those in set that are between the times asked for: the
-- first, and that behind the last.
local function span(set)
  local from = ARGV[7] == "" and 0 or ahead_of(set, ARGV[7])
  local to = ARGV[8] == "" and redis.call("ZCARD", set) or ahead_of(set, ARGV[8])
  return {set = set, from = from, to = math.max(from, to)}
end

-- spans returns those of all sets in question, the smallest first.
local function spans()
  local all = {}
  for i = 11, #ARGV do all[#all + 1] = span(homes.listed_key(queue, ARGV[i])) end
  if #all == 0 then all[1] = span(homes.listed_key(queue)) end
  table.sort(all, function(a, b) return a.to - a.from < b.to - b.from end)
  return all
end

-- go_on leaves out of s what lies before the page.
local function go_on(s, ms, id)
  local n = redis.call("ZCOUNT", s.set, ms, ms)
  local ahead, at = rank_by_id(s.set, tonumber(ms), id, ahead_of(s.set, ms), n)
  if newest then s.to = math.min(s.to, ahead) else s.from = math.max(s.from, ahead + at) end
end

-- step takes the next out of s: ids in order, and their times.
local function step(s)
  local n = math.min(s.to - s.from, at_once, looks)
  local first = newest and s.to - n or s.from
  local found, ids, times = redis.call("ZRANGE", s.set, first, first + n - 1, "WITHSCORES"), {}, {}
  for i = 1, n do
    local at = newest and n + 1 - i or i
    ids[i], times[i] = found[2 * at - 1], found[2 * at]
  end
  if newest then s.to = first else s.from = first + n end
  looks = looks - n
  return ids, times
end

-- lacking tells which of ids are not in all of the other sets.
local function lacking(all, ids)
  local lacks = {}
  for i = 2, #all do
    for j, score in ipairs(redis.call("ZMSCORE", all[i].set, unpack(ids))) do
      if not score then lacks[j] = true end
    end
  end
  return lacks
end

local found, all = {}, spans()
local s = all[1]
if ARGV[10] ~= "" then go_on(s, ARGV[9], ARGV[10]) end
while s.from < s.to and looks > 0 do
  local ids, times = step(s)
  local lacks = lacking(all, ids)
  for i = 1, #ids do
    if not lacks[i] then
      found[#found + 1] = ids[i]
      found[#found + 1] = times[i]
    end
    local is_last = i == #ids and s.from >= s.to
    local is_full = #found == 2 * limit or (i == #ids and looks <= 0)
    if is_full and not is_last then return {found, {times[i], ids[i]}} end
  end
end
return {found}
