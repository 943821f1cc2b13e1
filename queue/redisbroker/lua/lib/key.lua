-- Names of keys, in step with keys.go.
--
-- ARGV[1] is the prefix of all keys, ARGV[2] is now in Unix nanoseconds, and
-- ARGV[3] is how many events are kept: see event.lua.
local prefix, now_ns = ARGV[1], ARGV[2]

local nothing = {}

local bases = {}

-- base is what the names of a queue's keys begin with.
local function base(queue)
  local b = bases[queue]
  if not b then
    b = prefix .. ":{" .. queue .. "}:"
    bases[queue] = b
  end
  return b
end

local containers = {}

-- container is the key of a list or set of a queue. Scripts ask for the same few
-- again and again, and making a string takes longer than finding it.
local function container(queue, name)
  local of = containers[queue]
  if not of then
    of = {}
    containers[queue] = of
  end
  local key = of[name]
  if not key then
    key = base(queue) .. name
    of[name] = key
  end
  return key
end

local function entry_key(queue, id) return base(queue) .. "t:" .. id end

local function group_key(queue, group) return base(queue) .. "g:" .. group end
