-- Commands that take many members are collected, and sent once for each key by
-- flush: 500 entries are pushed by one LPUSH. Nothing that a script reads
-- before it flushes depends on them.
local collected, in_order = {}, {} -- by key and command

-- later adds one or two arguments, as the command takes them, to those of
-- command on key.
local function later(command, key, first, second)
  local of = collected[key]
  if not of then
    of = {}
    collected[key] = of
  end
  local c = of[command]
  if not c then
    c = {first, second, command = command, key = key, n = second and 2 or 1}
    of[command] = c
    in_order[#in_order + 1] = c
    return
  end
  local n = c.n + 1
  c[n] = first
  if second then
    n = n + 1
    c[n] = second
  end
  c.n = n
end

-- By list: ids that are to be taken out of it, which lose.lua does, in the builds
-- that have it.
local oldest, lose_all = {}, nil

-- By index of groups: those that something has joined, in order, which place.lua
-- tells of, in the builds that have it.
local joined, tell_joined = {}, nil

local function discard() collected, in_order, oldest, joined = {}, {}, {}, {} end

-- send sends a command with all of values, which are n: a thousand at a time.
local function send(command, key, values, n)
  for i = 1, n, 1000 do
    redis.call(command, key, unpack(values, i, math.min(i + 999, n)))
  end
end

-- What pieces of a script do before its changes, with all of them, after the writes
-- of each, after those of all, and once these are flushed.
local before_changes, after_change, after_changes, after_flush = {}, {}, {}, {}

-- What is checked and written of a change between its settlements and its
-- documents, in the builds that have replace.lua.
local outside = {}

local sizes = {} -- by the key of what is sound

-- expect raises an error if key holds something of another type than size, the
-- command that tells how much is in it, asks about. A check calls it for what
-- the write after it takes for granted. It returns how much was in it when it was
-- asked first, less what was lost since.
local function expect(size, key)
  if not sizes[key] then sizes[key] = redis.call(size, key) or 0 end
  return sizes[key]
end

local function flush()
  for list, ids in pairs(oldest) do lose_all(list, ids) end
  for i = 1, #in_order do
    local c = in_order[i]
    send(c.command, c.key, c, c.n)
  end
  for index, groups in pairs(joined) do tell_joined(index, groups) end
  discard()
end
