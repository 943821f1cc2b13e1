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
    c = {command = command, key = key, n = 0}
    of[command] = c
    in_order[#in_order + 1] = c
  end
  local n = c.n + 1
  c[n] = first
  if second then
    n = n + 1
    c[n] = second
  end
  c.n = n
end

local function discard() collected, in_order = {}, {} end

local function flush()
  for _, c in ipairs(in_order) do
    for i = 1, c.n, 1000 do
      redis.call(c.command, c.key, unpack(c, i, math.min(i + 999, c.n)))
    end
  end
  discard()
end

-- What pieces of a script do before its changes, with all of them, after their
-- writes, and once these are flushed.
local before_changes, after_changes, after_flush = {}, {}, {}

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

-- lose takes an id out of a list, and notes that.
local function lose(list, count, id)
  local n = redis.call("LREM", list, count, id)
  if sizes[list] then sizes[list] = sizes[list] - n end
end

-- fields_of returns fields of a hash: none of what is no hash.
local function fields_of(key, ...)
  local f = redis.pcall("HMGET", key, ...)
  return f.err and nothing or f
end
