-- Batches. One is a sorted set of entries of a group with the scores that they
-- have there. All batches are in aggregation_sets, by when asynq reclaims them,
-- and ours in leat:batches, as "<set> <group>", by when their lease ends.

-- How long after that asynq may take them back, in seconds.
local batch_grace = 30

-- What holds a batch has a name that asynq parts at the last colon.
local function set_of(token) return (string.gsub(token, ":", "|")) end
local function batch_key(queue, group, set) return group_key(queue, group) .. ":" .. set end

-- let_last makes a batch last until a second.
local function let_last(queue, group, set, ends)
  redis.call("ZADD", container(queue, "leat:batches"), ends, set .. " " .. group)
  redis.call("ZADD", container(queue, "aggregation_sets"), ends + batch_grace, batch_key(queue, group, set))
end

local function forget_batch(queue, group, set)
  redis.call("ZREM", container(queue, "leat:batches"), set .. " " .. group)
  redis.call("ZREM", container(queue, "aggregation_sets"), batch_key(queue, group, set))
end

local function has_leases(queue)
  return redis.call("EXISTS", container(queue, "lease")) == 1 or redis.call("EXISTS", container(queue, "leat:batches")) == 1
end

-- batch_of returns the set of the batch whose token a frozen entry has, and what
-- score the entry has in it, or nothing.
local function batch_of(queue, id, group, token)
  if not group or not token then return end
  local set = set_of(token)
  local score = redis.call("ZSCORE", batch_key(queue, group, set), id)
  if score then return set, score end
end
