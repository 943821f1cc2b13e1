-- Remedies for groups and batches. Their sorted sets are named by what follows the base
-- of the queue's keys.

local function is_batch(key) return redis.call("ZSCORE", container(queue, "aggregation_sets"), key) end

-- group_of returns the group whose entries lie in a set.
local function group_of(name)
  local group = string.sub(name, #"g:" + 1)
  return is_batch(container(queue, name)) and split_at_last(group) or group
end

-- stranger takes out of a group, or a batch of it, what is in another or none. For a
-- batch that nobody knows there are other remedies.
function remedies.stranger(name, id)
  local key, group = container(queue, name), group_of(name)
  if not redis.call("ZSCORE", key, id) then return end
  local f = redis.call("HMGET", entry_key(queue, id), "state", "group")
  if f[1] == "aggregating" and (f[2] == group or f[2] == split_at_last(group)) then return end
  write("ZREM", key, id)
  if not is_batch(key) then do_later(function() forget_if_empty(queue, group) end) end
  return "taken out of " .. name
end

-- How many of those that are scheduled into groups are looked through.
local looked_through = 1000

-- is_awaited tells whether something is scheduled into a group, or may be.
local function is_awaited(group)
  if redis.call("ZCARD", container(queue, "leat:grouped")) > looked_through then return true end
  for _, id in ipairs(redis.call("ZRANGE", container(queue, "leat:grouped"), 0, -1)) do
    if fields_of(entry_key(queue, id), "group")[1] == group then return true end
  end
end

-- empty forgets the name of a group in which nothing waits, or will.
function remedies.empty(group)
  if redis.call("SISMEMBER", container(queue, "groups"), group) == 0 then return end
  if redis.call("EXISTS", group_key(queue, group)) == 1 or is_awaited(group) then return end
  do_later(function() forget_if_empty(queue, group) end)
  return "forgotten"
end

-- give_back plans that what was in a batch of which nothing is known waits in its group.
local function give_back(key, group)
  local members = redis.call("ZRANGE", key, 0, -1, "WITHSCORES")
  for i = 1, #members, 2 do
    do_later(function() join_group(queue, members[i], group, members[i + 1]) end)
  end
  write("DEL", key)
  return "given back to group " .. group
end

-- group names a group that holds something. What is no group, but a batch that nobody
-- knows of, is given back to its group.
function remedies.group(name)
  local key = group_key(queue, name)
  local first = redis.call("ZRANGE", key, 0, 0)[1]
  if not first or is_batch(key) or redis.call("SISMEMBER", container(queue, "groups"), name) == 1 then return end
  local group = redis.call("HGET", entry_key(queue, first), "group")
  if group == name then
    do_later(function() has_joined(queue, name) end)
    return "named among the groups"
  elseif group and split_at_last(name) == group then
    return give_back(key, group)
  end
end

-- batch has asynq know a batch of ours, and forgets one that is empty.
function remedies.batch(name)
  local key, group, set = group_key(queue, name), split_at_last(name)
  local ends = redis.call("ZSCORE", container(queue, "leat:batches"), set .. " " .. group)
  local holds, is_known = redis.call("EXISTS", key) == 1, is_batch(key)
  if not holds and (ends or is_known) then
    do_later(function() forget_batch(queue, group, set) end)
    return "forgotten"
  elseif holds and ends and not is_known then
    write("ZADD", container(queue, "aggregation_sets"), tonumber(ends) + batch_grace, key)
    return "put into aggregation_sets"
  end
end

-- grouped has it noted that an entry is scheduled into a group exactly if it is.
function remedies.grouped(id)
  local notes = container(queue, "leat:grouped")
  local f = fields_of(entry_key(queue, id), "state", "group")
  local noted = redis.call("ZSCORE", notes, id)
  if f[2] and f[1] == "scheduled" then
    local score = redis.call("ZSCORE", container(queue, "scheduled"), id)
    if noted or not score then return end
    write("ZADD", notes, score, id)
    write("SADD", container(queue, "groups"), f[2])
    return "put into leat:grouped"
  elseif noted and not (f[2] and f[1] == "retry") then
    write("ZREM", notes, id)
    return "taken out of leat:grouped"
  end
end

-- join has a group be joined with a number that was given.
function remedies.join(group)
  local index = container(queue, "leat:joined")
  local number, last = tonumber(redis.call("ZSCORE", index, group)), tonumber(redis.call("ZSCORE", index, ""))
  if not number then return end
  local same = redis.call("ZCOUNT", index, number, number)
  if last and number <= last and number == math.floor(number) and same - (number == last and 1 or 0) == 1 then return end
  write("ZREM", index, group)
  if redis.call("EXISTS", group_key(queue, group)) == 1 then
    do_later(function() has_joined(queue, group) end)
  end
  return "joined anew"
end
