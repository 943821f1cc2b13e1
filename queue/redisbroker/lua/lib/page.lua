-- Pages of the sorted sets in which entries lie.
--
-- Entries that wait for the same second are sorted by id where they lie, and are
-- told in order of their exact times. In a second for which more than widest wait,
-- they come by id.
local widest = 1000

local function score_at(set, rank) return redis.call("ZRANGE", set, rank, rank, "WITHSCORES")[2] end

-- second_of returns the first rank of a score, and how many have it.
local function second_of(set, score)
  return redis.call("ZCOUNT", set, "-inf", "(" .. score), redis.call("ZCOUNT", set, score, score)
end

-- widen returns the ranks from and to, exclusive, moved outward to the ends of
-- their seconds, as far as these are told in order of exact times, and the scores
-- of those that are not.
local function widen(set, from, to)
  local crowded = {}
  local score = score_at(set, from)
  local first, n = second_of(set, score)
  if n <= widest then from = first else crowded[score] = true end
  score = score_at(set, to - 1)
  first, n = second_of(set, score)
  if n <= widest then to = first + n else crowded[score] = true end
  return from, to, crowded
end

-- exactly returns {id, order, due} of the entries with ranks from from on and below
-- to, in order. In a crowded second, due is not looked up.
local function exactly(queue, set, from, to, crowded)
  local found, all = redis.call("ZRANGE", set, from, to - 1, "WITHSCORES"), {}
  for i = 1, #found, 2 do
    local score = tonumber(found[i + 1])
    local due = not crowded[found[i + 1]] and exact_due(queue, found[i], score) or nil
    all[#all + 1] = {found[i], due or score * 1000, due}
  end
  table.sort(all, sooner)
  return all
end

-- page returns {id, order, time} of the entries with ranks from from on and below
-- to, which exist, in order. The time is missing where it was not looked up.
local function page(queue, state, set, from, to)
  local entries = {}
  if from >= to then return entries end
  if state ~= "scheduled" and state ~= "retry" then
    local found = redis.call("ZRANGE", set, from, to - 1, "WITHSCORES")
    for i = 1, #found, 2 do entries[#entries + 1] = {found[i], 0, tonumber(found[i + 1]) * 1000} end
    return entries
  end
  local first, last, crowded = widen(set, from, to)
  local all = exactly(queue, set, first, last, crowded)
  for i = from - first + 1, to - first do entries[#entries + 1] = all[i] end
  return entries
end

-- rank_of returns how many entries lie before a place, {time in ms, id}, and
-- how many at it: one, or none if that is gone.
local function rank_of(queue, state, set, place)
  local score = seconds(place[1])
  local first, n = second_of(set, score)
  if (state == "scheduled" or state == "retry") and n <= widest then
    local before_it, at_it = 0, 0
    for _, e in ipairs(n > 0 and exactly(queue, set, first, first + n, nothing) or {}) do
      if sooner(e, {place[2], place[1]}) then before_it = before_it + 1 end
      if e[1] == place[2] and e[2] == place[1] then at_it = 1 end
    end
    return first + before_it, at_it
  end
  return rank_by_id(set, score, place[2], first, n)
end
