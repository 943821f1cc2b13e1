-- What is open of homes, as rule 11 of package broker has it: for each home a hash
-- with a field for each of its entries that has not ended. (Redis packs a small
-- hash, but not a small set of names.)
--
-- A field is "<queue> <id>", or "<queue>|<rest>" if the id is the home's with the
-- rest behind it. What a script changes is written when it is asked for or when the
-- script ends, with one command for those that begin and one for those that end.
homes.known, homes.in_order = {}, {} -- by their words, and as they came
homes.touched = {} -- those of which something has ended, or that were given a drain

-- homes.named returns what is known of a home, which is a home itself:
--   key      of its hash
--   size     how many fields that has, as it was written last
--   fields   whether those that have changed since are open
--   count    how many of them are (true), and are not (false)
--   fault    what is wrong with the hash, if anything
function homes.named(words)
  local h = homes.known[words]
  if h then return h end
  h = home_in(words)
  h.words, h.key, h.size, h.fields, h.count = words, open_key(h), 0, {}, {[true] = 0, [false] = 0}
  local size = redis.pcall("HLEN", h.key)
  if type(size) == "number" then h.size = size else h.fault = size.err end
  homes.known[words] = h
  homes.in_order[#homes.in_order + 1] = h
  return h
end

-- homes.expect raises an error if what is open of a home is damaged.
function homes.expect(words)
  local h = homes.named(words)
  if h.fault then error(h.fault, 0) end
end

function homes.touch(words)
  local h = homes.named(words)
  if not h.is_touched then
    h.is_touched = true
    homes.touched[#homes.touched + 1] = h
  end
end

local function field_of(h, queue, id)
  local n = #h[2]
  if string.sub(id, 1, n) == h[2] then return queue .. "|" .. string.sub(id, n + 1) end
  return queue .. " " .. id
end

local function note(words, queue, id, is_open)
  local h = homes.named(words)
  local field = field_of(h, queue, id)
  local noted = h.fields[field]
  if noted == is_open then return end
  if noted ~= nil then h.count[noted] = h.count[noted] - 1 end
  h.count[is_open] = h.count[is_open] + 1
  h.fields[field] = is_open
end

-- homes.is_named tells whether an entry is open, as it was written last.
function homes.is_named(words, queue, id)
  local h = homes.named(words)
  return redis.call("HGET", h.key, field_of(h, queue, id)) ~= false
end

-- homes.begins notes that an entry of a home has not ended, and homes.ends that it
-- has.
function homes.begins(words, queue, id) note(words, queue, id, true) end

function homes.ends(words, queue, id)
  note(words, queue, id, false)
  homes.touch(words)
end

-- sum sends a command with all of values, and returns the sum of what it returns.
local function sum(command, key, values)
  local all = 0
  for i = 1, #values, 1000 do
    all = all + redis.call(command, key, unpack(values, i, math.min(i + 999, #values)))
  end
  return all
end

local function write(h)
  if h.count[true] + h.count[false] == 0 or h.fault then return end
  local begun, ended = {}, {}
  for field, is_open in pairs(h.fields) do
    if is_open then
      begun[#begun + 1] = field
      begun[#begun + 1] = ""
    else
      ended[#ended + 1] = field
    end
  end
  h.size = h.size + sum("HSET", h.key, begun) - sum("HDEL", h.key, ended)
  h.fields, h.count = {}, {[true] = 0, [false] = 0}
end

-- homes.is_empty tells whether nothing is open of a home. Most often that is known
-- without asking.
function homes.is_empty(h)
  if h.fault or h.count[true] > 0 or h.count[false] < h.size then return false end
  write(h)
  return h.size == 0
end

function homes.write()
  for _, h in ipairs(homes.in_order) do write(h) end
end
table.insert(after_changes, homes.write)
