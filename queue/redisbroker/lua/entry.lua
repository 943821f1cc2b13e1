-- Entry reads one entry.
--
-- KEYS[1]   what the names of the queue's keys begin with
-- ARGV      prefix, now in ns, queue, id
--
-- Returns   the entry as lib/read.lua has it, or nil
return read(ARGV[3], ARGV[4])
