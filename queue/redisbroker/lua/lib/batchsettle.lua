-- Settling entries of a batch, each for itself.

-- holds tells whether s is of an entry that is in the batch.
function batch.holds(s)
  expect("ZCARD", group_key(s.queue, s.group))
  expect("SCARD", container(s.queue, "groups"))
  local set, score = batch_of(s.queue, s.id, s.group, s.token)
  s.score = score
  return set ~= nil
end

function batch.leave(s)
  local set = set_of(s.token)
  local key = batch_key(s.queue, s.group, set)
  redis.call("ZREM", key, s.id)
  if redis.call("EXISTS", key) == 0 then forget_batch(s.queue, s.group, set) end
end
