-- Taking ids out of lists.

-- lose_oldest has flush take an id out of a list. It is looked for from the tail
-- on, where the oldest are.
local function lose_oldest(list, id)
  local ids = oldest[list]
  if not ids then
    ids = {}
    oldest[list] = ids
  end
  ids[#ids + 1] = id
end

-- lose takes an id out of a list, and notes that.
local function lose(list, count, id)
  local n = redis.call("LREM", list, count, id)
  if sizes[list] then sizes[list] = sizes[list] - n end
end

-- cut takes ids out of a list as far as they lie at its tail, with as many others
-- between them at most: these are put back. It returns the set of those that do
-- not. To search the list for each takes longer.
local function cut(list, ids)
  local wanted, between, n = {}, {}, 0
  for i = 1, #ids do wanted[ids[i]] = true end
  local tail = redis.call("LRANGE", list, -2 * #ids, -1)
  local from = #tail + 1
  for i = #tail, 1, -1 do
    if wanted[tail[i]] then
      wanted[tail[i]] = nil
      from, n = i, #between
    else
      between[#between + 1] = tail[i]
    end
  end
  if from > #tail then return wanted end
  redis.call("LTRIM", list, 0, from - #tail - 2)
  local back = {}
  for i = n, 1, -1 do back[#back + 1] = between[i] end
  send("RPUSH", list, back, n)
  if sizes[list] then sizes[list] = sizes[list] - (#tail - from + 1 - n) end
  return wanted
end

function lose_all(list, ids)
  local left = #ids > 1 and cut(list, ids)
  for i = 1, #ids do
    if not left or left[ids[i]] then lose(list, -1, ids[i]) end
  end
end
