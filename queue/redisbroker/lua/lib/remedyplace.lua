-- Remedies for where entries lie.

-- Where an entry in a state lies: in one of these, or in a group.
local is_list = {pending = true, active = true}
local is_set = {scheduled = true, retry = true, archived = true, completed = true}

-- How long a completed entry is kept of which nobody knows for how long it was to be,
-- in seconds.
local unknown_retention = 24 * 60 * 60

-- batches returns the keys of a queue's batches.
local function batches() return redis.call("ZRANGE", container(queue, "aggregation_sets"), 0, -1) end

-- lies returns where an id lies: {state that this is the place of, key, name, how often}.
-- Batches come before the group, as what is in one is held.
local function lies(id, group)
  local at = {}
  for state in pairs(is_list) do
    local n = #redis.call("LPOS", container(queue, state), id, "COUNT", 0)
    if n > 0 then at[#at + 1] = {state = state, key = container(queue, state), name = state, n = n} end
  end
  for state in pairs(is_set) do
    if redis.call("ZSCORE", container(queue, state), id) then
      at[#at + 1] = {state = state, key = container(queue, state), name = state}
    end
  end
  local sets = batches()
  if group then sets[#sets + 1] = group_key(queue, group) end
  for _, key in ipairs(sets) do
    if redis.call("ZSCORE", key, id) then
      at[#at + 1] = {state = "aggregating", key = key, name = string.sub(key, #base(queue) + 1)}
    end
  end
  return at
end

-- remove plans that an id leaves a place, and says so.
local function remove(id, place, words)
  if place.n then write("LREM", place.key, 0, id) else write("ZREM", place.key, id) end
  words[#words + 1] = "taken out of " .. place.name
end

-- lease plans that an active entry has a lease: the one that it had, or one that has
-- ended, so that it is taken back.
local function lease(id, words)
  if redis.call("ZSCORE", container(queue, "lease"), id) then return end
  local f = redis.call("HMGET", entry_key(queue, id), "leat_token", "leat_until")
  write("ZADD", container(queue, "lease"), f[1] and tonumber(f[2]) or now_s, id)
  words[#words + 1] = "put into lease"
end

-- without_lease plans that an entry that is not active has none.
local function without_lease(id, words)
  if redis.call("ZSCORE", container(queue, "lease"), id) then
    remove(id, {key = container(queue, "lease"), name = "lease"}, words)
  end
end

-- due_of returns when an entry is due that lies nowhere: at the exact time that is
-- known, or now.
local function due_of(id)
  local exact = tonumber(redis.call("ZSCORE", container(queue, "leat:due"), id))
  return exact or now_up
end

local put = {}

function put.pending(id)
  do_later(function() ready(queue, id) end)
end

function put.active(id) write("LPUSH", container(queue, "active"), id) end

function put.scheduled(id, group, state)
  local due = due_of(id)
  do_later(function() wait_until(state, queue, id, due, group) end)
end

put.retry = put.scheduled

function put.archived(id)
  local f = redis.call("HMGET", entry_key(queue, id), "leat_end", "leat_until")
  write("ZADD", container(queue, "archived"), f[1] and tonumber(f[2]) or now_s_up, id)
end

function put.completed(id) write("ZADD", container(queue, "completed"), now_s_up + unknown_retention, id) end

function put.aggregating(id, group)
  if not group then error("in no group", 0) end
  write("HSET", entry_key(queue, id), "leat_joined", now_up)
  do_later(function() join_group(queue, id, group, now_s_up) end)
end

-- keep plans that an entry lies in the place of its state once, and nowhere else.
local function keep(id, own, at, words)
  if own.n and own.n > 1 then
    write("LREM", own.key, own.n - 1, id) -- the one that is next stays
    words[#words + 1] = "left in " .. own.name .. " once"
  end
  for _, place in ipairs(at) do
    if place ~= own then remove(id, place, words) end
  end
end

-- believe plans that an entry has the state of the one place where it lies.
local function believe(id, state, words)
  local key = entry_key(queue, id)
  write("HSET", key, "state", state)
  if state ~= "active" then write("HDEL", key, "leat_token", "leat_until") end
  if state == "pending" then write("HSET", key, "pending_since", now_ns) end
  words[#words + 1] = "its state is " .. state .. ", as its place has it"
end

-- forget plans that what is no entry lies nowhere.
local function forget(id, at)
  local words = {}
  for _, place in ipairs(at) do remove(id, place, words) end
  for _, name in ipairs({"lease", "leat:due", "leat:grouped"}) do
    local place = {key = container(queue, name), name = name}
    if redis.call("ZSCORE", place.key, id) then remove(id, place, words) end
  end
  return words
end

-- place has an entry lie where its state says. If it does not lie there and in one other
-- place, that is believed; if it lies nowhere, it is put there.
function remedies.place(id)
  local key, words, own = entry_key(queue, id), {}, nil
  local f = redis.call("HMGET", key, "state", "group")
  local state, at = f[1], lies(id, f[2])
  if redis.call("EXISTS", key) == 0 then
    words = forget(id, at)
  elseif not (is_list[state] or is_set[state] or state == "aggregating") then
    return
  else
    for _, place in ipairs(at) do
      if place.state == state and not own then own = place end
    end
    if own then
      keep(id, own, at, words)
    elseif #at == 1 then
      state = at[1].state
      believe(id, state, words)
      keep(id, at[1], at, words)
    elseif #at == 0 then
      put[state](id, f[2], state)
      words[#words + 1] = "put into " .. (state == "aggregating" and "group " .. f[2] or state)
    else
      return
    end
    if state == "active" then lease(id, words) else without_lease(id, words) end
  end
  return words[1] and table.concat(words, ", ")
end

-- due drops an exact time that nothing waits for.
function remedies.due(id)
  local exact, set = tonumber(redis.call("ZSCORE", container(queue, "leat:due"), id)), container(queue, "leat:due")
  if not exact then return end
  for _, state in ipairs({"scheduled", "retry"}) do
    local score = tonumber(redis.call("ZSCORE", container(queue, state), id))
    if score == seconds(exact) and exact ~= score * 1000 then return end
  end
  write("ZREM", set, id)
  return "taken out of leat:due"
end

-- score rounds a score up to a whole number.
function remedies.score(name, id)
  local score = tonumber(redis.call("ZSCORE", container(queue, name), id))
  if not score or score == math.floor(score) then return end
  write("ZADD", container(queue, name), math.ceil(score), id)
  return "its score in " .. name .. " is rounded up"
end

-- register names a queue that has an entry.
function remedies.register(id)
  if redis.call("EXISTS", entry_key(queue, id)) == 0 then return end
  write("SADD", KEYS[1], queue)
  return "registered"
end
