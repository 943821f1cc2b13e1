-- Names of keys, in step with keys.go, and what every script needs of time.
--
-- ARGV[1] is the prefix of all keys, ARGV[2] is now in Unix nanoseconds, and
-- ARGV[3] is how many events are kept: see event.lua.
local prefix, now_ns = ARGV[1], ARGV[2]
local now = tonumber(string.sub(now_ns, 1, -7)) or 0 -- in milliseconds, as all times here

-- now rounded up, its second, and that rounded up.
local now_up = now + (tonumber(string.sub(now_ns, -6)) > 0 and 1 or 0)
local now_s = math.floor(now / 1000)
local now_s_up = now_s + (tonumber(string.sub(now_ns, -9)) > 0 and 1 or 0)

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

-- What holds a batch has a name that asynq parts at the last colon.
local function set_of(token) return (string.gsub(token, ":", "|")) end
local function batch_key(queue, group, set) return group_key(queue, group) .. ":" .. set end

-- A home is {queue, id}. No name contains a bar.
local function run_key(home) return base(home[1]) .. "leat:run:" .. home[2] end
local function latches_key(home) return base(home[1]) .. "leat:latches:" .. home[2] end
local function latch_key(kind, home, id) return base(home[1]) .. "leat:" .. kind .. ":" .. home[2] .. "|" .. id end

-- seconds is ms in whole seconds, rounded up: the scores that asynq's tools read.
local function seconds(ms) return math.ceil(ms / 1000) end
