-- Resume lets entries of a queue be leased again.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue
--
-- Returns   whether it was paused, 1 or 0, and what lib/wake.lua returns
local queue = ARGV[4]
local was_paused = redis.call("DEL", base(queue) .. "paused")
if was_paused == 1 then wake_now(queue) end
return {was_paused, leave_wakes()}
