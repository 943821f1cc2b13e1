-- The answers that a caller may ask for again, in KEYS[2], a hash that is the
-- caller's own: a field for each sequence that it may not have heard of yet,
-- "low", below which it has heard of all, and "kept", below which none is kept.
--
-- ARGV[4] is the sequence of this call, ARGV[5] the caller's low.
local sequence, low = ARGV[4], tonumber(ARGV[5])
local answer_ttl, answers_kept = 10 * 60, 32

local kept -- as found

-- recall returns "STALE" if this call has been given up, or the answer if it
-- has been made before, or nothing.
local function recall()
  local found = redis.call("HMGET", KEYS[2], "low", "kept", sequence)
  if found[3] then return cmsgpack.unpack(found[3]) end
  if tonumber(sequence) < (tonumber(found[1]) or 0) then return "STALE" end
  low = math.max(low, tonumber(found[1]) or 0)
  kept = tonumber(found[2]) or low
end

-- remember keeps the answer of this call, and drops those that were heard: some
-- at a time, and a thousand at most.
local function remember(answer)
  local first, last = kept, math.min(low - 1, kept + 999)
  if last - first + 1 >= answers_kept then
    local heard = {}
    for s = first, last do heard[#heard + 1] = string.format("%.0f", s) end
    redis.call("HDEL", KEYS[2], unpack(heard))
    kept = last + 1
  end
  redis.call("HSET", KEYS[2], "low", low, "kept", kept, sequence, cmsgpack.pack(answer))
  redis.call("EXPIRE", KEYS[2], answer_ttl)
end
