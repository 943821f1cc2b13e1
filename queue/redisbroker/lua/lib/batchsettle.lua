-- Settling entries of a batch, each for itself.
local batches = {} -- by key: the scores of its members before this script, and whose it is

local function read_batch(queue, group, token)
  local set = set_of(token)
  local key = batch_key(queue, group, set)
  local b = batches[key]
  if not b then
    b = {key = key, queue = queue, group = group, set = set, scores = {}}
    local members = redis.call("ZRANGE", key, 0, -1, "WITHSCORES")
    for i = 1, #members, 2 do b.scores[members[i]] = members[i + 1] end
    batches[key] = b
  end
  return b
end

-- holds tells whether s is of an entry that is in the batch.
function batch.holds(s)
  expect("ZCARD", group_key(s.queue, s.group))
  expect("SCARD", container(s.queue, "groups"))
  expect("ZCARD", container(s.queue, "aggregation_sets"))
  s.score = read_batch(s.queue, s.group, s.token).scores[s.id]
  return s.score ~= nil
end

function batch.leave(s)
  local b = read_batch(s.queue, s.group, s.token)
  later("ZREM", b.key, s.id)
  b.left = true
end

table.insert(after_flush, function()
  for key, b in pairs(batches) do
    if b.left and redis.call("EXISTS", key) == 0 then forget_batch(b.queue, b.group, b.set) end
  end
end)
