-- Extend makes leases that are held last until a second.
--
-- KEYS      what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, events, the second, then queue, id and token of
--           each lease
--
-- Returns   for each lease 0 if it is lost, 1 if it is held, and 2 if it is and
--           somebody has asked for the entry to be cancelled
local ends = ARGV[4]
local answers = {}
for i = 5, #ARGV, 3 do
  local queue, id, token = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local held = held_as(queue, id, token)
  if held and held.set then
    let_last(queue, held.group, held.set, ends)
  elseif held then
    redis.call("ZADD", container(queue, "lease"), ends, id)
    redis.call("HSET", entry_key(queue, id), "leat_until", ends)
  end
  answers[#answers + 1] = said(held)
end
return answers
