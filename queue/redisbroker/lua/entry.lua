-- Entry reads one entry.
--
-- KEYS[1]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, events, queue, id
--
-- Returns   the entry as lib/read.lua has it, followed by its attempts in
--           MessagePack, or nil
local e = read(ARGV[4], ARGV[5])
if e then e[#e + 1] = redis.call("HGET", entry_key(ARGV[4], ARGV[5]), "leat_attempts") end
return e
