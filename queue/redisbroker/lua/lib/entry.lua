-- Adding entries, with the set of queues as KEYS[1]. One that is to be added has
-- the fields
--   queue, id, msg   and, if it has them,
--   key              of its hash, once that was asked for
--   due              when it becomes ready
--   group            the group that it joins then
--   claim, ttl       the key that it claims, and for how many seconds; 0: until
--                    it ends
--   behind           whether it may wait until the claim is freed
--   more             further fields of its hash: name, value, … That of its home is
--                    the first
-- Builds for entries that have homes have open.lua.
local known = {}

-- registered tells whether queue is in the set of queues.
local function registered(queue)
  if not known[queue] then
    known[queue] = redis.call("SISMEMBER", KEYS[1], queue)
  end
  return known[queue] == 1
end

local function is_later(e) return e.due and e.due > now end

-- home_of returns the home of e, in words, or nothing.
local function home_of(e)
  local more = e.more
  return more and more[1] == "leat_home" and more[2]
end

-- check_entry returns why e cannot be added, or nothing.
local function check_entry(e)
  local queue = e.queue
  e.key = entry_key(queue, e.id)
  if redis.call("EXISTS", e.key) == 1 then return {"EXISTS", queue, e.id} end
  local holder = e.claim and claimed(e)
  if holder then return {"CLAIMED", queue, e.id, e.claim, holder} end
  registered(queue)
  if home_of(e) then homes.expect(home_of(e)) end
  if e.waits or is_later(e) then
    expect("ZCARD", container(queue, "scheduled"))
    expect("ZCARD", container(queue, "leat:due"))
  elseif e.group then
    expect("ZCARD", group_key(queue, e.group))
  else
    expect("LLEN", container(queue, "pending"))
  end
  if e.group then expect("SCARD", container(queue, "groups")) end
end

-- add adds e, which has passed check_entry or whose id is not taken.
local function add(e)
  local queue, id = e.queue, e.id
  local key = e.key or entry_key(queue, id)
  if not registered(queue) then
    known[queue] = 1
    later("SADD", KEYS[1], queue)
  end
  if e.waits and not holder_of(queue, e.claim) then e.waits = nil end -- freed in this change
  local more = e.more or nothing
  if e.waits then
    redis.call("HSET", key, "msg", e.msg, "state", "scheduled", "leat_behind", "1", unpack(more))
    redis.call("SET", behind_key(queue, e.claim), id)
    wait_until("scheduled", queue, id, now_up + behind_retry)
    record(queue, id, "scheduled")
  elseif is_later(e) then
    redis.call("HSET", key, "msg", e.msg, "state", "scheduled", unpack(more))
    wait_until("scheduled", queue, id, e.due, e.group)
    record(queue, id, "scheduled")
  elseif e.group then
    redis.call("HSET", key, "msg", e.msg, "state", "aggregating", "leat_joined", now_up, unpack(more))
    join_group(queue, id, e.group, now_s_up)
    record(queue, id, "aggregating")
  else
    redis.call("HSET", key, "msg", e.msg, "state", "pending", "pending_since", now_ns, unpack(more))
    ready(queue, id)
  end
  if e.claim and not e.waits then take_claim(e.claim, id, e.ttl) end
  if home_of(e) then homes.begins(home_of(e), queue, id) end
end

-- add_if_new adds e unless its id is taken.
local function add_if_new(e)
  if redis.call("EXISTS", entry_key(e.queue, e.id)) == 0 then add(e) end
end

-- add_if_possible adds e unless its id is taken, or where it is to lie is damaged.
local function add_if_possible(e)
  pcall(function()
    if not check_entry(e) then add(e) end
  end)
end
