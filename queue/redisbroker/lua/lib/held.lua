-- Whether leases are held.

-- held_as returns how the lease of an entry with a token is held, or nothing if
-- it is not:
--   set         what holds the batch, if it is one's
--   group       the group that the batch is of
--   cancelled   whether somebody has asked for the entry to be cancelled
--   watched     whether somebody waits for it
local function held_as(queue, id, token)
  local f = redis.pcall("HMGET", entry_key(queue, id), "leat_token", "state", "leat_until", "leat_cancel", "leat_watch", "group")
  if f.err or f[1] ~= token then return end
  local set
  if f[2] == "aggregating" then
    set = batch_of(queue, id, f[6], token)
    if not set then return end
  elseif f[2] ~= "active" or f[3] ~= redis.pcall("ZSCORE", container(queue, "lease"), id) then
    return
  end
  return {set = set, group = f[6], cancelled = f[4], watched = f[5]}
end

-- What is said of a lease: that it is lost, kept, or to be cancelled.
local function said(held)
  if not held then return 0 end
  return held.cancelled and 2 or 1
end
