-- Orders.

-- before orders two names by their bytes, whatever the server's locale.
local function before(a, b)
  if a == b then return false end
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- sooner orders {id, due} by the time and then by the id.
local function sooner(a, b)
  if a[2] ~= b[2] then return a[2] < b[2] end
  return before(a[1], b[1])
end

-- rank_by_id returns how many members of a sorted set lie before an id with a
-- score, and how many at it, one or none. The n members with that score have the
-- ranks from first on.
local function rank_by_id(set, score, id, first, n)
  local low, high = first, first + n -- the first rank whose id is not before the one given
  while low < high do
    local middle = math.floor((low + high) / 2)
    if before(redis.call("ZRANGE", set, middle, middle)[1], id) then low = middle + 1 else high = middle end
  end
  local at = redis.call("ZRANGE", set, low, low, "WITHSCORES")
  return low, at[1] == id and tonumber(at[2]) == score and 1 or 0
end
