-- List reads a page of the entries of a queue that are in one state.
--
-- KEYS[1]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, queue, state, offset, limit
--
-- Returns   the entries, each as lib/read.lua has it
local queue, state, offset, limit = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local q = base(queue)

-- How far a page looks beyond its ends for entries of the same second.
local widest = 1000

local function pending()
  local ids = redis.call("LRANGE", q .. "pending", -offset - limit, -offset - 1)
  local page = {}
  for i = #ids, 1, -1 do page[#page + 1] = ids[i] end
  return page
end

-- waiting returns a page in order of the exact times. Entries that wait for the
-- same second are sorted by id where they lie, so those that share a second
-- with the ends of the page are looked at too.
local function waiting(set)
  local ends = {}
  for i, rank in ipairs({offset, offset + limit - 1}) do
    ends[i] = redis.call("ZRANGE", set, rank, rank, "WITHSCORES")[2]
  end
  if not ends[1] then return {} end
  local from = math.max(redis.call("ZCOUNT", set, "-inf", "(" .. ends[1]), offset - widest)
  local to = math.min(redis.call("ZCOUNT", set, "-inf", ends[2] or "+inf"), offset + limit + widest) - 1
  local found = redis.call("ZRANGE", set, from, to, "WITHSCORES")
  local due = {}
  for i = 1, #found, 2 do due[#due + 1] = {found[i], exact_due(queue, found[i], tonumber(found[i + 1]))} end
  table.sort(due, sooner)
  local page = {}
  for i = offset - from + 1, math.min(offset - from + limit, #due) do page[#page + 1] = due[i][1] end
  return page
end

local ids
if state == "pending" then
  ids = pending()
elseif state == "scheduled" or state == "retry" then
  ids = waiting(q .. state)
else
  local set = state == "active" and "lease" or state
  ids = redis.call("ZRANGE", q .. set, offset, offset + limit - 1)
end

local page = {}
for _, id in ipairs(ids) do
  local e = read(queue, id)
  if e and e[2] == state then page[#page + 1] = e end
end
return page
