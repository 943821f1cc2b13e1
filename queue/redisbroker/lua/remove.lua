-- Remove deletes some keys of a queue that holds no entries, and at last the
-- queue.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, "1" if it is the last step, then the
--           keys; instead of the key of what is open of a home that and a field,
--           with a space between them: entries of other queues stay open
--
-- Returns   "OK", "NOT_FOUND" if there is no such queue, "NOT_EMPTY", or "MORE" if it
--           is to be called again
local queue, is_last = ARGV[4], ARGV[5] == "1"
if redis.call("SISMEMBER", KEYS[1], queue) == 0 then return "NOT_FOUND" end

-- obstacle returns why nothing can be deleted, or nothing. It also drops the
-- names of some groups that are empty.
local function obstacle()
  for _, name in ipairs({"pending", "active", "scheduled", "retry", "archived", "completed", "aggregation_sets"}) do
    if redis.call("EXISTS", container(queue, name)) == 1 then return "NOT_EMPTY" end
  end
  local groups = container(queue, "groups")
  for _, group in ipairs(redis.call("SRANDMEMBER", groups, 500)) do
    if redis.call("EXISTS", group_key(queue, group)) == 1 then return "NOT_EMPTY" end
    redis.call("SREM", groups, group)
  end
  return redis.call("EXISTS", groups) == 1 and "MORE" or nil
end

-- name_groups names the groups whose keys are to be deleted, so that they are found
-- and emptied first, and tells whether there are any. asynq leaves groups unnamed.
local function name_groups()
  local begin, found = group_key(queue, ""), false
  for i = 6, #ARGV do
    if string.sub(ARGV[i], 1, #begin) == begin then
      redis.call("SADD", container(queue, "groups"), string.sub(ARGV[i], #begin + 1))
      found = true
    end
  end
  return found
end

local function drop(key)
  local begin = open_key({queue, ""})
  if string.sub(key, 1, #begin) == begin then
    redis.call("HDEL", string.match(key, "^(%S+) (.+)$"))
  else
    redis.call("UNLINK", key)
  end
end

local problem = obstacle()
if problem then return problem end
if name_groups() then return "NOT_EMPTY" end
for i = 6, #ARGV do drop(ARGV[i]) end
if is_last then
  redis.call("SREM", KEYS[1], queue)
  forget_wakes(queue)
end
return "OK"
