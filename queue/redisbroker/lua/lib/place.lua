-- Where entries wait: in a list, in sorted sets, and in groups.
--
-- Whoever empties a group drops its name, and whoever puts an entry into one adds
-- it, and tells so: leat:joined has each group with the number of its last join, and
-- under an empty name the number that was given last. One that is scheduled into a group lies in leat:grouped, too, by the second
-- in which it is due: asynq, which may move it, does not add the name.

-- expect_queue raises an error if one of the lists and sets in which entries of a
-- queue lie is damaged.
local function expect_queue(queue)
  for _, list in ipairs({"pending", "active"}) do expect("LLEN", container(queue, list)) end
  for _, set in ipairs({"lease", "scheduled", "retry", "archived", "completed", "aggregation_sets"}) do
    expect("ZCARD", container(queue, set))
  end
  expect("SCARD", container(queue, "groups"))
end

-- wait_until lets an entry wait in the sorted set of state until due. The exact
-- time lies beside it if it is not a whole second.
local function wait_until(state, queue, id, due, group)
  local score, exact = seconds(due), container(queue, "leat:due")
  later("ZADD", container(queue, state), score, id)
  wake_at(queue, due)
  if score * 1000 == due then
    later("ZREM", exact, id) -- asynq may have left one of an earlier life
  else
    later("ZADD", exact, due, id)
  end
  if group then
    later("ZADD", container(queue, "leat:grouped"), score, id)
    later("SADD", container(queue, "groups"), group)
  end
end

-- tell_joined numbers groups in their order. The first number of all is the time, in
-- microseconds, so that a queue which is removed and comes again goes on. Nothing
-- fails because of what is told.
function tell_joined(index, groups)
  local n = #groups
  local last = tonumber(redis.pcall("ZADD", index, "INCR", n, ""))
  if not last then return end
  if last == n then
    last = now * 1000 + n
    redis.call("ZADD", index, last, "")
  end
  local numbered = {}
  for i = 1, n do
    numbered[2 * i - 1], numbered[2 * i] = last - n + i, groups[i]
  end
  send("ZADD", index, numbered, 2 * n)
end

-- has_joined has flush tell that something waits in a group.
local function has_joined(queue, group)
  later("SADD", container(queue, "groups"), group)
  local index = container(queue, "leat:joined")
  local groups = joined[index]
  if not groups then
    groups = {}
    joined[index] = groups
    wake_now(groups_of(queue))
  end
  if groups[#groups] ~= group then groups[#groups + 1] = group end
end

-- join_group puts an entry, whose hash says so already, into a group.
local function join_group(queue, id, group, score)
  later("ZADD", group_key(queue, group), score, id)
  has_joined(queue, group)
end

-- forget_if_empty drops the name of a group in which nothing waits.
local function forget_if_empty(queue, group)
  if redis.call("EXISTS", group_key(queue, group)) == 0 then
    redis.call("SREM", container(queue, "groups"), group)
    redis.pcall("ZREM", container(queue, "leat:joined"), group)
  end
end

-- take_out takes an entry out of where its state has it.
local function take_out(queue, id, state, group)
  flush()
  if state == "pending" then
    lose(container(queue, "pending"), 0, id)
  elseif state == "active" then
    lose(container(queue, "active"), 0, id)
    redis.call("ZREM", container(queue, "lease"), id)
  elseif state ~= "aggregating" then
    redis.call("ZREM", container(queue, state), id)
    redis.call("ZREM", container(queue, "leat:due"), id)
    if group then redis.call("ZREM", container(queue, "leat:grouped"), id) end
  elseif group then
    redis.call("ZREM", group_key(queue, group), id)
  end
  if group then forget_if_empty(queue, group) end
end
