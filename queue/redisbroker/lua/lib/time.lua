-- What scripts need of time, all of it in milliseconds.
local now = tonumber(string.sub(now_ns, 1, -7)) or 0

-- now rounded up, its second, and that rounded up.
local now_up = now + (tonumber(string.sub(now_ns, -6)) > 0 and 1 or 0)
local now_s = math.floor(now / 1000)
local now_s_up = now_s + (tonumber(string.sub(now_ns, -9)) > 0 and 1 or 0)

-- seconds is ms in whole seconds, rounded up: the scores that asynq's tools read.
local function seconds(ms) return math.ceil(ms / 1000) end
