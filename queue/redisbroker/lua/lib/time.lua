-- What scripts need of time, all of it in milliseconds.
local now = tonumber(string.sub(now_ns, 1, -7)) or 0

-- now rounded up, its second, and that rounded up.
local now_up = now + (tonumber(string.sub(now_ns, -6)) > 0 and 1 or 0)
local now_s = math.floor(now / 1000)
local now_s_up = now_s + (tonumber(string.sub(now_ns, -9)) > 0 and 1 or 0)

-- seconds is ms in whole seconds, rounded up: the scores that asynq's tools read.
local function seconds(ms) return math.ceil(ms / 1000) end

-- exact_due returns when id, which waits with score in a sorted set of queue,
-- is due: a time beside it counts only if, rounded up, it is the score.
local function exact_due(queue, id, score)
  local due = tonumber(redis.call("ZSCORE", base(queue) .. "leat:due", id) or -1)
  if seconds(due) == score then return due end
  return score * 1000
end
