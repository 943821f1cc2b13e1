-- What is told to those who listen, and what is kept of what happens. No change
-- fails because of either: an ACL may forbid them.
local streaming = ARGV[3] and ARGV[3] ~= "0"

-- tell publishes what happened to an entry on a channel of ours.
local function tell(channel, queue, id)
  redis.pcall("PUBLISH", prefix .. ":leat:" .. channel, queue .. " " .. id)
end

-- record keeps that an entry has come into a state, or has been "deleted".
local function record(queue, id, state)
  if not streaming then return end
  redis.pcall("XADD", prefix .. ":leat:events", "MAXLEN", "~", ARGV[3], "*",
    "at", now_up, "queue", queue, "id", id, "state", state)
end
