-- Sweep does one step of what is to be done to all entries of a queue that are in
-- one state, the first of them first.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, state, group, what is to be done, and
--           to how many at most
--
-- Returns   to how many it was done, 0 if there are no more, and what lib/wake.lua
--           returns
local queue, state, group, what, limit = ARGV[4], ARGV[5], ARGV[6], act[ARGV[7]], tonumber(ARGV[8])
local source = state == "aggregating" and group_key(queue, group) or container(queue, state)

-- How many ids one script looks at, if they lead nowhere.
local looks = 2000

-- first takes out the ids of the first entries.
local function first()
  if state == "pending" then
    local ids, turned = redis.call("LRANGE", source, -limit, -1), {}
    if #ids > 0 then redis.call("LTRIM", source, 0, -#ids - 1) end
    for i = #ids, 1, -1 do turned[#turned + 1] = ids[i] end
    return turned
  end
  local n = redis.call("ZCARD", source)
  local ids = {}
  for _, e in ipairs(page(queue, state, source, 0, math.min(limit, n))) do
    local id = e[1]
    ids[#ids + 1] = id
    later("ZREM", source, id)
    if state == "scheduled" or state == "retry" then
      later("ZREM", container(queue, "leat:due"), id)
      later("ZREM", container(queue, "leat:grouped"), id)
    end
  end
  flush()
  return ids
end

expect_queue(queue)
local done, groups = 0, {[group] = true}
repeat
  local ids = first()
  for _, id in ipairs(ids) do
    local e = facts(queue, id)
    if e and e.state == state then
      what(e)
      if e.group then groups[e.group] = true end
      done = done + 1
    end
  end
  looks = looks - #ids
until done > 0 or #ids == 0 or looks <= 0
homes.flush()
for name in pairs(groups) do
  if name ~= "" then forget_if_empty(queue, name) end
end
return {done, leave_wakes()}
