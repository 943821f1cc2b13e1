-- Entries that are ready to be leased lie in a list.

-- ready makes an entry, whose hash says so already, the last to be leased.
local function ready(queue, id)
  later("LPUSH", container(queue, "pending"), id)
  wake_now(queue)
  record(queue, id, "pending")
end

local function make_ready(queue, id)
  redis.call("HSET", entry_key(queue, id), "state", "pending", "pending_since", now_ns)
  ready(queue, id)
end
