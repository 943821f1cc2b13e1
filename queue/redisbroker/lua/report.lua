-- Report writes how far entries that are leased have come.
--
-- KEYS      what the names of the keys of each queue begin with
-- ARGV      prefix, now in ns, events, then queue, id, token and data of each
--
-- Returns   for each lease what extend.lua says of it
local answers = {}
for i = 4, #ARGV, 4 do
  local queue, id = ARGV[i], ARGV[i + 1]
  local held = held_as(queue, id, ARGV[i + 2])
  if held then redis.call("HSET", entry_key(queue, id), "leat_progress", ARGV[i + 3]) end
  if held and held.watched then tell("progress", queue, id) end
  answers[#answers + 1] = said(held)
end
return answers
