-- The answers that a caller may ask for again, in KEYS[2], a hash that is the
-- caller's own: a field for each sequence that it may not have heard of yet,
-- "low", below which it has heard of all, and "kept", below which none is kept.
--
-- ARGV[5] is the sequence of this call, ARGV[6] the caller's low, and ARGV[7] is
-- "1" if the time for which answers are kept begins anew.
--
-- An answer is what has happened:
--   leases   queue, id, msg and rest of each, one after another: see body_of. The
--            rest is nothing if nothing is in it
--   sinces   since when the entry of each lease was ready, in ns, "0" if that is not
--            known, with spaces between them: it is not kept
--   parked   {queue, id}: ids that were next in line and have no entry
--   faults   {queue, error}: queues that cannot be read
local leases, parked, faults = {}, {}, {}
local granted, held, sinces = 0, {}, {} -- how many leases, queue and id of each, since when each was ready

-- answer_of returns an answer. Most say nothing but that all has taken effect.
local function answer_of(refused, told)
  if #refused + granted + #parked + #faults == 0 and not (told and told[1]) then return {"OK"} end
  if granted == 0 then return {"OK", refused, leases, parked, faults, told} end
  return {"OK", refused, leases, parked, faults, told or nothing, table.concat(sinces, " ")}
end

-- What short makes of an answer is kept, and full gives it again: all of it but
-- bodies, which body.lua leaves out and adds again, in the builds that have it.
local function as_it_is(answer) return answer end
local short, full = as_it_is, as_it_is

local sequence, low, renew = ARGV[5], tonumber(ARGV[6]), ARGV[7] == "1"
local answer_ttl = 10 * 60
local heard_at_once = 32
local kept -- as found; nothing if this is the first answer

-- recall returns "STALE" if this call has been given up, or the answer if it
-- has been made before, or nothing.
local function recall()
  local found = redis.call("HMGET", KEYS[2], "low", "kept", sequence)
  if found[3] then return cmsgpack.unpack(found[3]) end
  if tonumber(sequence) < (tonumber(found[1]) or 0) then return "STALE" end
  low = math.max(low, tonumber(found[1]) or 0)
  kept = tonumber(found[2])
end

-- remember keeps the answer of this call, and drops those that were heard: some
-- at a time, and a thousand at most.
local function remember(answer)
  local first = kept or low
  local upto = math.min(low, first + 1000)
  if upto - first >= heard_at_once then
    local heard = {}
    for s = first, upto - 1 do heard[#heard + 1] = s end
    redis.call("HDEL", KEYS[2], unpack(heard))
    first = upto
  end
  redis.call("HSET", KEYS[2], "low", low, "kept", first, sequence, cmsgpack.pack(answer))
  if renew or not kept then redis.call("EXPIRE", KEYS[2], answer_ttl) end
end
