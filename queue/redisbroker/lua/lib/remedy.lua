-- Remedies, by the names that verify.go has for them. One returns in words what it does,
-- or nothing if there is no fault, or none that it can mend. It does not change anything
-- itself: what is to be done are the steps of the plan.
local queue = ARGV[4]
local remedies, plan = {}, {}

local function do_later(step) plan[#plan + 1] = step end

local function write(...)
  local command = {...}
  do_later(function() redis.call(unpack(command)) end)
end

-- split_at_last returns what stands before the last colon of a name, and behind it.
local function split_at_last(name) return string.match(name, "^(.*):([^:]*)$") end

-- has_ended_for_good tells whether an entry of which these fields are given has ended. One
-- that is parked has not.
local function has_ended_for_good(id, state, ending, ends)
  return state == "completed" or state == "archived" and not is_parked(queue, id, ending, ends)
end
