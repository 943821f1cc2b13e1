-- What is done to entries by those who have no lease of them, once they have been
-- taken out of their place.
local act = {}

-- forget makes an entry as if it had not ended, crashed or been cancelled, and
-- lets go of what it waits for.
local function forget(e)
  if e.behind then step_out(e.queue, e.id, e.claim) end
  redis.call("HDEL", entry_key(e.queue, e.id), "group", "pending_since", "leat_end", "leat_crashes", "leat_cancel",
    "leat_token", "leat_until", "leat_joined", "leat_lost")
  if e.home then homes.begins(e.home, e.queue, e.id) end
end

function act.run(e)
  forget(e)
  make_ready(e.queue, e.id)
end

function act.reschedule(e, at)
  if at <= now then return act.run(e) end
  forget(e)
  redis.call("HSET", entry_key(e.queue, e.id), "state", "scheduled")
  wait_until("scheduled", e.queue, e.id, at)
  record(e.queue, e.id, "scheduled")
end

function act.archive(e) archive(e) end

function act.delete(e) delete(e) end

function act.cancel(e) archive(e, "cancelled") end
