-- Reading entries.

-- exact_due returns when id, which waits with score in a sorted set of queue,
-- is due: a time beside it counts only if, rounded up, it is the score.
local function exact_due(queue, id, score)
  local due = tonumber(redis.call("ZSCORE", base(queue) .. "leat:due", id) or -1)
  if seconds(due) == score then return due end
  return score * 1000
end

-- when returns the time that an entry waits for: when it is due, or its lease
-- or its retention ends. It is 0 if it waits for none.
local function when(queue, id, state)
  local set = state == "active" and "lease" or state
  if set == "pending" or set == "aggregating" or set == "archived" then return 0 end
  local score = tonumber(redis.call("ZSCORE", base(queue) .. set, id) or 0)
  if state == "scheduled" or state == "retry" then return exact_due(queue, id, score) end
  return score * 1000
end

-- read returns an entry as {id, state, msg, ms, home, reads, result, when}, or
-- nothing if there is none. The time is text, in milliseconds.
local function read(queue, id)
  local f = redis.call("HMGET", entry_key(queue, id),
    "state", "msg", "leat_ms", "leat_home", "leat_reads", "result")
  if not f[1] then return end
  return {id, f[1], f[2], f[3], f[4], f[5], f[6], string.format("%.0f", when(queue, id, f[1]))}
end

-- before orders two names by their bytes, whatever the server's locale.
local function before(a, b)
  if a == b then return false end
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- sooner orders {id, due} by the time and then by the id.
local function sooner(a, b)
  if a[2] ~= b[2] then return a[2] < b[2] end
  return before(a[1], b[1])
end
