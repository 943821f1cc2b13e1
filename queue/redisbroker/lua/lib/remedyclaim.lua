-- Remedies for claims.

-- may_free tells whether a claim does not count any more, of which the key, its value
-- and its TTL are given.
local function may_free(claim, held, ttl)
  local f = redis.call("HMGET", entry_key(queue, held), "unique_key", "state", "leat_end", "leat_until")
  if f[1] ~= claim then return true end
  return ttl < 0 and has_ended_for_good(held, f[2], f[3], f[4])
end

-- claim frees a claim that is held by nobody, or by an entry that has ended, and lets go
-- in time what is held until then.
function remedies.claim(name)
  local claim = base(queue) .. "unique:" .. name
  local held, ttl = redis.call("GET", claim), redis.call("TTL", claim)
  if not held then return end
  local till = tonumber(string.match(held, "^%S+ (%d+)$"))
  if till and till > now then
    if ttl >= 0 then return end
    write("EXPIRE", claim, seconds(till - now) + hold_slack)
    return "deleted when its time has come"
  end
  if not till and not may_free(claim, held, ttl) or till and ttl >= 0 then return end
  write("DEL", claim)
  do_later(function() let_follow(queue, claim) end)
  return "freed"
end

-- behind forgets that something waits behind a claim which does not.
function remedies.behind(name)
  local claim = base(queue) .. "unique:" .. name
  local id = redis.call("GET", behind_key(queue, claim))
  if not id then return end
  local f = redis.call("HMGET", entry_key(queue, id), "leat_behind", "unique_key")
  if f[1] and f[2] == claim then return end
  write("DEL", behind_key(queue, claim))
  return "forgotten"
end

-- waits has a claim know who waits behind it, if nobody else does.
function remedies.waits(id)
  local f = redis.call("HMGET", entry_key(queue, id), "leat_behind", "unique_key")
  if not f[1] or not f[2] or redis.call("EXISTS", behind_key(queue, f[2])) == 1 then return end
  write("SET", behind_key(queue, f[2]), id)
  return "noted beside the claim"
end
