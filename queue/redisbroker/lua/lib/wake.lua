-- Wakes, as rule 10 of package broker has them. Those of a queue lie in a sorted
-- set: "ready", with the score 0, and "due", with the earliest time. That something
-- has joined groups is "ready" of a name of its own. A script leaves them as it ends,
-- with one command for each name.
--
-- The sets of all queues lie in one slot, so that one command can wait for them. A
-- world that is one of several cannot write there: its scripts return what is to
-- be left, {queue, "1" if there is something ready, when something is due or ""}.
local is_one_of_several = KEYS[1] ~= prefix .. ":queues" or string.sub(prefix, 1, 1) == "{"

local wakes = {} -- by queue: {ready, due}

local function wake(queue)
  local w = wakes[queue]
  if not w then
    w = {}
    wakes[queue] = w
  end
  return w
end

local function wake_now(queue) wake(queue).ready = true end

-- groups_of is the name under which the groups of a queue are waited for, and
-- with_groups the queue that has such a name, or nothing.
local function groups_of(queue) return queue .. "~groups" end
local function with_groups(name) return string.match(name, "^(.*)~groups$") end

local function wake_at(queue, due)
  local w = wake(queue)
  if not w.due or due < w.due then w.due = due end
end

local function wake_key(queue) return prefix .. ":leat:{wake}:" .. queue end

-- leave_wakes leaves what has been noted, or returns it. Nothing fails because of a
-- wake.
local function leave_wakes()
  if is_one_of_several then
    local told = {}
    for queue, w in pairs(wakes) do
      told[#told + 1] = {queue, w.ready and "1" or "", w.due and string.format("%.0f", w.due) or ""}
    end
    return told
  end
  for queue, w in pairs(wakes) do
    local members = {}
    if w.ready then members = {0, "ready"} end
    if w.due then
      members[#members + 1] = w.due
      members[#members + 1] = "due"
    end
    redis.pcall("ZADD", wake_key(queue), "LT", unpack(members))
  end
end

local function forget_wakes(queue)
  if not is_one_of_several then redis.call("DEL", wake_key(queue), wake_key(groups_of(queue))) end
end
