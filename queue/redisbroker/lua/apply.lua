-- Apply makes each change take effect whole or not at all, each on its own,
-- and then leases entries. Repeated with the same sequence, it does nothing and
-- gives the same answer again.
--
-- KEYS[1]   set of queues
-- KEYS[2]   answers of the caller
-- KEYS[3…]  what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, events, day, sequence, the caller's low, "1" if its
--           answers' time begins anew, then in MessagePack the lease request, or
--           "" for none, and the changes, some in each argument, as values one
--           after another: how many settlements, what they consist of, how many
--           entries are enqueued, what they consist of, and a map, or false, of
--             move, replace, watch       see lib/move.lua and lib/replace.lua
--             home                       {queue, id}
--             require, put               {key, version}, {key, body, at}
--             quota                      how many bytes the home may have
--             open, feed, arrive         see lib/latch.lua
--             drain                      entries
--             list                       {at in ms, terms}
--             close                      ms
--           A settlement is queue, id, token, to and, both or false, a map and a
--           packed one: see lib/settle.lua. An entry is queue, id, message, and a map
--           or false: see lib/entry.lua
--
-- Returns   {"OK", refused, leases, parked, faults, wakes, sinces}, {"OK"} if there is
--           nothing in these, or {"STALE"}, with
--           refused  {which change, from 1, word, …} for each that was:
--                      LEASE_LOST queue id · CONFLICT key version body · QUOTA bytes quota ·
--                      NO_ENTRY queue id · STATE queue id state frozen ·
--                      CHANGED queue id ·
--                      EXISTS queue id · CLAIMED queue id claim holder ·
--                      LATCH_EXISTS id · NO_LATCH id · ERROR message
--           leases, parked, faults, sinces: see lib/answer.lua
--           wakes: what lib/wake.lua returns
--
-- Builds of this script leave out pieces of lib that its changes do not need.
--
-- Redis does not roll a script back: every check of a change is made before
-- its first write, and an error in a check is that change's outcome.
local request, first_change = ARGV[8], 9

-- check returns why c cannot be made, or nothing.
local function check(c)
  local more = c.more
  for i = 1, #c.settle do
    local problem = check_settlement(c.settle[i])
    if problem then return problem end
  end
  local problem = more and ((outside.check and outside.check(more)) or (more.home and check_documents(more)))
  if problem then return problem end
  for i = 1, #c.enqueue do
    problem = check_entry(c.enqueue[i])
    if problem then return problem end
  end
  if not more then return end
  if more.drain then homes.expect(words_of(more.home)) end
  if more.list then homes.expect_lists(more.home, more.list) end
  if more.close then expect("ZCARD", container(more.home[1], "leat:closing")) end
  return homes.has_latches(more) and homes.check_latches(more)
end

local function write(c)
  local more = c.more
  for i = 1, #c.settle do settle(c.settle[i]) end
  if more and outside.write then outside.write(more) end
  if more and more.put then put(more) end
  for i = 1, #c.enqueue do add(c.enqueue[i]) end
  if not more then return end
  if homes.has_latches(more) then homes.turn_latches(more) end
  if more.drain then homes.await_drain(more.home, more.drain) end
  if more.list then homes.list(more.home, more.list) end
  if more.close then later("ZADD", container(more.home[1], "leat:closing"), more.close, more.home[2]) end
end

-- apply takes the changes in order and returns those that were refused.
local function apply(changes)
  local refused = {}
  for i = 1, #before_changes do before_changes[i](changes) end
  for i = 1, #changes do
    local ok, problem = pcall(check, changes[i])
    if not ok then problem = {"ERROR", type(problem) == "table" and problem.err or problem} end
    if problem then
      table.insert(problem, 1, i)
      refused[#refused + 1] = problem
    else
      write(changes[i])
      for j = 1, #after_change do after_change[j]() end
    end
  end
  for i = 1, #after_changes do after_changes[i]() end
  flush()
  for i = 1, #after_flush do after_flush[i]() end
  return refused
end

-- entries_in returns the entries that values have from at on, and where these end.
local function entries_in(values, at)
  local all, n = {}, values[at]
  for i = 1, n do
    local queue, id, msg, e = unpack(values, at + 1, at + 4)
    if e then
      e.queue, e.id, e.msg = queue, id, msg
    else
      e = {queue = queue, id = id, msg = msg}
    end
    all[i], at = e, at + 4
  end
  return all, at + 1
end

local function read_changes()
  local changes = {}
  for i = first_change, #ARGV do
    local values, at = {cmsgpack.unpack(ARGV[i])}, 1
    while values[at] do
      local settle, enqueue = nothing
      if values[at] > 0 then settle, at = settlements_in(values, at) else at = at + 1 end
      enqueue, at = entries_in(values, at)
      changes[#changes + 1] = {settle = settle, enqueue = enqueue, more = values[at]}
      at = at + 1
    end
  end
  return changes
end

local before = recall()
if before == "STALE" then return {"STALE"} end
if before then return full(before) end

local refused = apply(read_changes())
local stem = ""
if request ~= "" then
  request = cmsgpack.unpack(request)
  stem = request.stem
  lease(request)
end
local answer = answer_of(refused, leave_wakes())
remember(short(answer, stem))
return answer
