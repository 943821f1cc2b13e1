-- Adding entries. One that is to be added has the fields
--   queue, id, msg   and, if it has them,
--   due              when it becomes ready
--   claim, ttl       the key that it claims, and for how many seconds
--   more             further fields of its hash: name, value, …
local known = {}

-- registered tells whether queue is in the set of queues.
local function registered(queue)
  if not known[queue] then
    known[queue] = redis.call("SISMEMBER", KEYS[1], queue)
  end
  return known[queue] == 1
end

-- check_entry returns why e cannot be added, or nothing.
local function check_entry(e)
  local queue = e.queue
  if redis.call("EXISTS", entry_key(queue, e.id)) == 1 then
    return {"EXISTS", queue, e.id}
  end
  if e.claim then
    local holder = redis.call("GET", e.claim)
    if holder then return {"CLAIMED", queue, e.id, e.claim, holder} end
  end
  registered(queue)
  if e.due and e.due > now then
    expect("ZCARD", container(queue, "scheduled"))
    expect("ZCARD", container(queue, "leat:due"))
  else
    expect("LLEN", container(queue, "pending"))
  end
end

-- wait_until lets an entry wait in the sorted set of state until due. The exact
-- time lies beside it if it is not a whole second.
local function wait_until(state, queue, id, due)
  local score, exact = seconds(due), container(queue, "leat:due")
  later("ZADD", container(queue, state), score, id)
  if score * 1000 == due then
    later("ZREM", exact, id) -- asynq may have left one of an earlier life
  else
    later("ZADD", exact, due, id)
  end
end

-- add adds e, which has passed check_entry.
local function add(e)
  local key = entry_key(e.queue, e.id)
  if not registered(e.queue) then
    known[e.queue] = 1
    later("SADD", KEYS[1], e.queue)
  end
  if e.due and e.due > now then
    redis.call("HSET", key, "msg", e.msg, "state", "scheduled")
    wait_until("scheduled", e.queue, e.id, e.due)
  else
    redis.call("HSET", key, "msg", e.msg, "state", "pending", "pending_since", now_ns)
    later("LPUSH", container(e.queue, "pending"), e.id)
  end
  if e.more then redis.call("HSET", key, unpack(e.more)) end
  if e.claim then redis.call("SET", e.claim, e.id, "EX", e.ttl) end
end

-- add_if_new adds e unless its id is taken.
local function add_if_new(e)
  if redis.call("EXISTS", entry_key(e.queue, e.id)) == 0 then add(e) end
end
