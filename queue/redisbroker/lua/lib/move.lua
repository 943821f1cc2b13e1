-- Moves: what is done to entries from outside. A move has the fields
--   queue, id, act   "run", "archive", "delete", "reschedule" or "cancel"
--   at               when it is to be due, for reschedule
local function set_of_words(words)
  local all = {}
  for word in string.gmatch(words, "%a+") do all[word] = true end
  return all
end

local allowed = {
  run = set_of_words("scheduled retry archived completed aggregating"),
  archive = set_of_words("pending scheduled retry aggregating completed"),
  delete = set_of_words("pending scheduled retry archived completed aggregating"),
  reschedule = set_of_words("pending scheduled retry archived completed aggregating"),
  cancel = set_of_words("pending scheduled retry aggregating active"),
}

-- Those that are also done to an active entry whose lease has run out.
local also_stale = set_of_words("run archive delete")

local function state_fault(e, frozen) return {"STATE", e.queue, e.id, e.state, frozen and "1" or "0"} end

local function is_frozen(e)
  if e.state ~= "aggregating" then return false end
  return not e.group or not redis.call("ZSCORE", group_key(e.queue, e.group), e.id)
end

local function is_stale_lease(e)
  if e.state ~= "active" then return false end
  local ends = redis.call("ZSCORE", container(e.queue, "lease"), e.id)
  return ends and tonumber(ends) <= now_s
end

-- expect_sound raises an error if something that a move may touch is damaged.
local function expect_sound(e)
  expect_queue(e.queue)
  expect("ZCARD", container(e.queue, "leat:due"))
  if e.group then expect("ZCARD", group_key(e.queue, e.group)) end
  if e.claim then expect("GET", e.claim) end
  if e.home then homes.expect(e.home) end
end

-- check_move returns why m cannot be made, or nothing and the facts of its entry.
local function check_move(m)
  flush()
  local e = facts(m.queue, m.id)
  if not e then return {"NO_ENTRY", m.queue, m.id} end
  if is_frozen(e) then return state_fault(e, true) end
  if not allowed[m.act][e.state] and not (also_stale[m.act] and is_stale_lease(e)) then return state_fault(e) end
  expect_sound(e)
  return nil, e
end

-- ask_to_cancel notes that an active entry is to be cancelled, and tells whoever
-- runs it: by its bare id, if that is asynq.
local function ask_to_cancel(e)
  redis.call("HSET", entry_key(e.queue, e.id), "leat_cancel", "1")
  local ours = e.token and e.ends == redis.call("ZSCORE", container(e.queue, "lease"), e.id)
  if ours then
    tell("cancel", e.queue, e.id)
  else
    redis.pcall("PUBLISH", prefix .. ":cancel", e.id)
  end
end

-- move makes m, unless the parts before it in the change have put its entry
-- where it cannot be made.
local function move(m)
  local problem, e = check_move(m)
  if problem then return end
  if m.act == "cancel" and e.state == "active" then return ask_to_cancel(e) end
  take_out(e.queue, e.id, e.state, e.group)
  act[m.act](e, m.at)
end
