-- Apply makes each change take effect whole or not at all, each on its own,
-- and then leases entries. Repeated with the same sequence, it does nothing and
-- gives the same answer again.
--
-- KEYS[1]   set of queues
-- KEYS[2]   answers of the caller
-- KEYS[3…]  what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, events, day, sequence, the caller's low, "1" if its
--           answers' time begins anew, then in MessagePack the lease request, or
--           "" for none, and each change:
--             settle                     see lib/settle.lua
--             move, replace, watch       see lib/move.lua and lib/replace.lua
--             home                       {queue, id}
--             require, put               {key, version}, {key, body, at}
--             enqueue                    see lib/entry.lua
--             open, feed, arrive         see lib/latch.lua
--             close                      ms
--
-- Returns   {"OK", refused, leases, parked, faults, wakes} or {"STALE"}, with
--           refused  {which change, from 1, word, …} for each that was:
--                      LEASE_LOST queue id · CONFLICT key version body ·
--                      NO_ENTRY queue id · STATE queue id state frozen ·
--                      CHANGED queue id ·
--                      EXISTS queue id · CLAIMED queue id claim holder ·
--                      LATCH_EXISTS id · NO_LATCH id · ERROR message
--           leases, parked, faults: see lib/answer.lua
--           wakes: what lib/wake.lua returns
--
-- Builds of this script leave out pieces of lib that its changes do not need.
--
-- Redis does not roll a script back: every check of a change is made before
-- its first write, and an error in a check is that change's outcome.
local request, first_change = ARGV[8], 9

local function has_latches(c) return c.open or c.feed or c.arrive end

local function check(c)
  for _, s in ipairs(c.settle or nothing) do
    local problem = check_settlement(s)
    if problem then return problem end
  end
  local problem = (outside.check and outside.check(c)) or (c.home and check_documents(c))
  if problem then return problem end
  for _, e in ipairs(c.enqueue or nothing) do
    problem = check_entry(e)
    if problem then return problem end
  end
  if c.close then expect("ZCARD", container(c.home[1], "leat:closing")) end
  return has_latches(c) and check_latches(c)
end

local function write(c)
  for _, s in ipairs(c.settle or nothing) do settle(s) end
  if outside.write then outside.write(c) end
  if c.put then put(c.home, c.put) end
  for _, e in ipairs(c.enqueue or nothing) do add(e) end
  if has_latches(c) then turn_latches(c) end
  if c.close then later("ZADD", container(c.home[1], "leat:closing"), c.close, c.home[2]) end
end

-- apply takes the changes in order and returns those that were refused.
local function apply(changes)
  local refused = {}
  for _, f in ipairs(before_changes) do f(changes) end
  for i, c in ipairs(changes) do
    local ok, problem = pcall(check, c)
    if not ok then problem = {"ERROR", type(problem) == "table" and problem.err or problem} end
    if problem then
      table.insert(problem, 1, i)
      refused[#refused + 1] = problem
    else
      write(c)
    end
  end
  for _, f in ipairs(after_changes) do f() end
  flush()
  for _, f in ipairs(after_flush) do f() end
  return refused
end

-- short returns the answer without bodies, and full adds them again: the token of
-- the i-th lease is stem and i. Of one that is gone it has no message.
local function short(refused, stem, told)
  local said = {}
  for i, r in ipairs(refused) do
    said[i] = r[2] == "CONFLICT" and {r[1], r[2], r[3], run = r[6]} or r
  end
  return {said, held, parked, faults, stem, told}
end

local function full(answer)
  local refused = {}
  for i, r in ipairs(answer[1]) do
    refused[i] = r
    if r.run then
      local now_there = conflict(r.run, r[3])
      refused[i] = {r[1], r[2], r[3], now_there[3], now_there[4]}
    end
  end
  for i = 1, #answer[2], 2 do
    local queue, id = answer[2][i], answer[2][i + 1]
    local msg, rest = body_of(queue, id, answer[5] .. (granted + 1))
    add_lease(queue, id, msg or false, rest or false)
  end
  return {"OK", refused, leases, answer[3], answer[4], answer[6]}
end

local before = recall()
if before == "STALE" then return {"STALE"} end
if before then return full(before) end

local changes = {}
for i = first_change, #ARGV do changes[#changes + 1] = cmsgpack.unpack(ARGV[i]) end
local refused = apply(changes)
local stem = ""
if request ~= "" then
  request = cmsgpack.unpack(request)
  stem = request.stem
  lease(request)
end
local told = leave_wakes()
remember(short(refused, stem, told))
return {"OK", refused, leases, parked, faults, told}
