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

local oldest = {} -- by list: ids that are to be taken out of it

-- lose_oldest has flush take an id out of a list. It is looked for from the tail
-- on, where the oldest are.
local function lose_oldest(list, id)
  local ids = oldest[list]
  if not ids then
    ids = {}
    oldest[list] = ids
  end
  ids[#ids + 1] = id
end

local function discard() collected, in_order, oldest = {}, {}, {} end

-- send sends a command with all of values, which are n: a thousand at a time.
local function send(command, key, values, n)
  for i = 1, n, 1000 do
    redis.call(command, key, unpack(values, i, math.min(i + 999, n)))
  end
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

-- cut takes ids out of a list as far as they lie at its tail, with as many others
-- between them at most: these are put back. It returns the set of those that do
-- not. To search the list for each takes longer.
local function cut(list, ids)
  local wanted, between, n = {}, {}, 0
  for i = 1, #ids do wanted[ids[i]] = true end
  local tail = redis.call("LRANGE", list, -2 * #ids, -1)
  local from = #tail + 1
  for i = #tail, 1, -1 do
    if wanted[tail[i]] then
      wanted[tail[i]] = nil
      from, n = i, #between
    else
      between[#between + 1] = tail[i]
    end
  end
  if from > #tail then return wanted end
  redis.call("LTRIM", list, 0, from - #tail - 2)
  local back = {}
  for i = n, 1, -1 do back[#back + 1] = between[i] end
  send("RPUSH", list, back, n)
  if sizes[list] then sizes[list] = sizes[list] - (#tail - from + 1 - n) end
  return wanted
end

local function flush()
  for list, ids in pairs(oldest) do
    local left = #ids > 1 and cut(list, ids)
    for i = 1, #ids do
      if not left or left[ids[i]] then lose(list, -1, ids[i]) end
    end
  end
  for i = 1, #in_order do
    local c = in_order[i]
    send(c.command, c.key, c, c.n)
  end
  discard()
end

-- fields_of returns fields of a hash: none of what is no hash.
local function fields_of(key, ...)
  local f = redis.pcall("HMGET", key, ...)
  return f.err and nothing or f
end
