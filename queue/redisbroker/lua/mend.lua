-- Mend puts right what contradicts itself in the storage of a queue. Each remedy looks
-- whether the fault is there before it changes anything.
--
-- KEYS[1]   set of queues
-- KEYS[2]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, "1" if nothing is to be changed, then for
--           each fault {name of the remedy, what it is about, and a second such name}
--
-- Returns   for each fault what was done, or would be: "" if nothing, as there is no such
--           fault, or no telling what is right; and what lib/wake.lua returns
local is_dry = ARGV[5] == "1"

local function remedied(name, one, other)
  plan = {}
  local ok, done = pcall(remedies[name], one, other)
  if not ok or not done then return "" end
  if is_dry then return done end
  for _, step in ipairs(plan) do step() end
  homes.flush()
  return done
end

local told = {}
for i = 6, #ARGV, 3 do told[#told + 1] = remedied(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return {told, leave_wakes()}
