-- Joined tells of groups that something has joined, in the order of their last joins,
-- and forgets those that asynq has emptied.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, the number after which they are told, or
--           "", and how many at most
--
-- Returns   the number to ask with next, "1" if there are more, and {name, size, second
--           in which the oldest was added, that of the newest} for each group
local queue, after, limit = ARGV[4], tonumber(ARGV[5]) or 0, tonumber(ARGV[6])
local index = container(queue, "leat:joined")
local last = redis.call("ZSCORE", index, "")
if not last then return {"", "", {}} end
if after > tonumber(last) then after = 0 end -- the storage has been an older one since

local function whole(number) return string.format("%.0f", tonumber(number)) end

-- since returns the names of groups and their numbers, those of one more than are
-- asked for, without what has the last number and is no group.
local function since()
  local first = "(" .. whole(after)
  local found = redis.call("ZRANGEBYSCORE", index, first, "+inf", "WITHSCORES", "LIMIT", 0, limit + 2)
  local names, numbers = {}, {}
  for i = 1, #found, 2 do
    if found[i] ~= "" then
      names[#names + 1], numbers[#numbers + 1] = found[i], found[i + 1]
    end
  end
  return names, numbers
end

local function added(key, place) return redis.call("ZRANGE", key, place, place, "WITHSCORES")[2] end

local names, numbers = since()
local has_more = #names > limit
local told = {}
for i = 1, math.min(#names, limit) do
  local key = group_key(queue, names[i])
  local size = redis.call("ZCARD", key)
  if size == 0 then
    redis.call("ZREM", index, names[i])
  else
    told[#told + 1] = {names[i], size, added(key, 0), added(key, -1)}
  end
end
return {whole(has_more and numbers[limit] or last), has_more and "1" or "", told}
