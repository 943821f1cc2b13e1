-- Replacing entries that wait, and watching entries. A replacement has the fields
--   queue, id, msg   the message, without the group and the key of the claim
--   words            what lies beside the message, but for the claim
--   version          that must be there; nothing if the claim decides
--   claim, ttl, ending   the key of that claim, and how it ends, in words
--   due              when it becomes ready; nothing: as before
local replaceable = set_of_words("pending scheduled retry aggregating")

local function is_replaceable(e) return replaceable[e.state] and not is_frozen(e) end

local function version_of_entry(queue, id)
  local f = redis.call("HMGET", entry_key(queue, id), "msg", "leat_ms", "group", "state")
  local due = ""
  if f[4] == "scheduled" or f[4] == "retry" then
    local score = redis.call("ZSCORE", container(queue, f[4]), id)
    due = string.format("%.0f", exact_due(queue, id, tonumber(score or 0)))
  end
  return redis.sha1hex(table.concat({f[1] or "", f[2] or "", f[3] or "", f[4] or "", due}, "|"))
end

-- check_replace returns why r cannot be made, or nothing and the facts of its
-- entry.
local function check_replace(r)
  flush()
  local e = facts(r.queue, r.id)
  if not e then return {"NO_ENTRY", r.queue, r.id} end
  if not is_replaceable(e) then return state_fault(e, is_frozen(e)) end
  if r.version then
    if version_of_entry(r.queue, r.id) ~= r.version then return {"CHANGED", r.queue, r.id} end
  elseif holder_of(r.queue, r.claim) ~= r.id and follower_of(r.queue, r.claim) ~= r.id then
    return {"CLAIMED", r.queue, r.id, r.claim, holder_of(r.queue, r.claim) or ""}
  end
  expect_sound(e)
  return nil, e
end

-- field returns a text field of a message, with its tag.
local function field(tag, text)
  if not text then return "" end
  local n = #text
  local length = n < 128 and string.char(n) or string.char(n % 128 + 128, math.floor(n / 128))
  return string.char(tag) .. length .. text
end

-- claim_words returns the words of words that say how a claim ends.
local function claim_words(words)
  local kept = {}
  for word in string.gmatch(words or "", "%S+") do
    local name = string.match(word, "^%a+")
    if name == "claim" or name == "hold" or name == "since" then kept[#kept + 1] = word end
  end
  return table.concat(kept, " ")
end

local function place_anew(e, due)
  take_out(e.queue, e.id, e.state, e.group)
  local key = entry_key(e.queue, e.id)
  redis.call("HDEL", key, "pending_since")
  if due > now then
    redis.call("HSET", key, "state", "scheduled")
    wait_until("scheduled", e.queue, e.id, due, e.group)
    record(e.queue, e.id, "scheduled")
  elseif e.group then
    redis.call("HSET", key, "state", "aggregating", "leat_joined", now_up)
    join_group(e.queue, e.id, e.group, now_s_up)
    record(e.queue, e.id, "aggregating")
  else
    make_ready(e.queue, e.id)
  end
end

-- reclaim has a claim that e holds end as r says. One with a TTL is read back
-- without: to store that again is not to end it otherwise.
local function reclaim(e, r)
  if r.ttl == 0 and r.version then return end
  local held = redis.call("GET", r.claim)
  if held and string.match(held, "^%S+") == e.id then take_claim(r.claim, e.id, r.ttl) end
end

local function replace(r)
  flush()
  local e = facts(r.queue, r.id)
  if not e or not is_replaceable(e) then return end -- not so any more, by the change itself
  local key, claim = entry_key(r.queue, r.id), claim_of(e)
  local words, ending = r.words, claim_words(e.words)
  if r.claim and r.claim == claim then
    ending = r.ending
    reclaim(e, r)
  end
  if ending ~= "" then words = words == "" and ending or words .. " " .. ending end
  redis.call("HSET", key, "msg", r.msg .. field(82, claim) .. field(114, e.group))
  if words == "" then
    redis.call("HDEL", key, "leat_ms")
  else
    redis.call("HSET", key, "leat_ms", words)
  end
  if r.due and not e.behind then place_anew(e, r.due) end
end

local function check_watch(w)
  if redis.call("EXISTS", entry_key(w[1], w[2])) == 0 then return {"NO_ENTRY", w[1], w[2]} end
end

local function watch(w)
  if not check_watch(w) then redis.call("HSET", entry_key(w[1], w[2]), "leat_watch", "1") end
end

-- Moves, replacements and watches of a change, in this order.
local from_outside = {{"move", check_move, move}, {"replace", check_replace, replace}, {"watch", check_watch, watch}}

function outside.check(c)
  for _, kind in ipairs(from_outside) do
    for _, one in ipairs(c[kind[1]] or nothing) do
      local problem = kind[2](one)
      if problem then return problem end
    end
  end
end

function outside.write(c)
  for _, kind in ipairs(from_outside) do
    for _, one in ipairs(c[kind[1]] or nothing) do kind[3](one) end
  end
end
