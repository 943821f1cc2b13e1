-- How entries end.

-- facts returns what is to be known of an entry by whoever is to move it, or
-- nothing if there is none.
local function facts(queue, id)
  local f = fields_of(entry_key(queue, id), "state", "unique_key", "leat_ms", "group", "leat_exit",
    "leat_watch", "leat_behind", "leat_end", "leat_token", "leat_until", "leat_home")
  if not f[1] then return end
  return {queue = queue, id = id, state = f[1], claim = f[2], words = f[3], group = f[4], exit = f[5],
    watched = f[6], behind = f[7], ending = f[8], token = f[9], ends = f[10], home = f[11]}
end

-- claim_in returns the name of the key in a message, which asynq does not repeat
-- beside it if the entry is in a group: field 10, after its tag and length.
local function claim_in(queue, msg)
  local begin = base(queue) .. "unique:"
  local from, at = 1, nil
  while true do
    at = string.find(msg, begin, from, true)
    if not at then return end
    local length, tag = string.byte(msg, at - 1) or 0, at - 2
    if tag > 1 and string.byte(msg, tag) >= 128 then
      length, tag = length * 128 + string.byte(msg, tag) - 128, tag - 1
    end
    if tag >= 1 and string.byte(msg, tag) == 82 then return string.sub(msg, at, at + length - 1) end
    from = at + 1
  end
end

local function claim_of(e)
  if e.claim or not e.group then return e.claim end
  return claim_in(e.queue, redis.call("HGET", entry_key(e.queue, e.id), "msg") or "")
end

-- let_go frees what an entry that ends has claimed, or waits for.
local function let_go(e, archived)
  local claim = claim_of(e)
  if not claim then return end
  if e.behind then step_out(e.queue, e.id, claim) end
  free_claim(e.queue, e.id, claim, e.words, archived)
end

-- leave_exit enqueues what is to be told of an end. It cannot fail: what cannot
-- be enqueued is not.
local function leave_exit(packed)
  if not packed then return end
  local ok, e = pcall(cmsgpack.unpack, packed)
  if ok then add_if_possible(e) end
end

local function has_ended(e) return e.state == "archived" or e.state == "completed" end

-- archive keeps an entry that has been taken out of its place as archived, by
-- other means than its own settlement.
local function archive(e, ending)
  local key = entry_key(e.queue, e.id)
  redis.call("HDEL", key, "pending_since", "leat_token", "leat_until", "leat_began", "leat_cancel")
  redis.call("HSET", key, "state", "archived", unpack(ending and {"leat_end", ending, "leat_until", now_s_up} or nothing))
  later("ZADD", container(e.queue, "archived"), now_s_up, e.id)
  record(e.queue, e.id, "archived")
  let_go(e, true)
  if e.home then homes.ends(e.home, e.queue, e.id) end
  if not has_ended(e) then leave_exit(e.exit) end
  if e.watched then tell("ended", e.queue, e.id) end
end

-- delete deletes an entry that has been taken out of its place.
local function delete(e)
  record(e.queue, e.id, "deleted")
  let_go(e)
  redis.call("UNLINK", entry_key(e.queue, e.id))
  if e.home then homes.ends(e.home, e.queue, e.id) end
  if not has_ended(e) then leave_exit(e.exit) end
  if e.watched then tell("ended", e.queue, e.id) end
end

local most_attempts = 10

-- with_attempt returns the stored attempts of an entry with one more.
local function with_attempt(stored, attempt)
  local ok, all = pcall(cmsgpack.unpack, stored or "\144")
  if not ok or type(all) ~= "table" then all = {} end
  all[#all + 1] = attempt
  while #all > most_attempts do table.remove(all, 1) end
  return cmsgpack.pack(all)
end

-- crash notes that the lease of an entry ran out, and if it was ours, which one.
local function crash(queue, id, ours)
  local key = entry_key(queue, id)
  local f = redis.call("HMGET", key, "leat_crashes", "leat_attempts", "leat_token", "leat_began")
  local lost = ours and f[3] and {"leat_lost", f[3] .. " " .. (f[4] or "")}
  redis.call("HSET", key, "leat_crashes", (tonumber(f[1]) or 0) + 1,
    "leat_attempts", with_attempt(f[2], {0, now_up, "", "lease ran out"}), unpack(lost or nothing))
  redis.call("HDEL", key, "leat_token", "leat_until", "leat_began")
end
