-- Leases that have run out, until the next lease of the entry tells of them.

ALTER TABLE leat_attempt ADD COLUMN token TEXT;    -- of the lease that ran out, until it was told
ALTER TABLE leat_attempt ADD COLUMN began INTEGER; -- when that was given
ALTER TABLE leat_batch   ADD COLUMN began INTEGER; -- when it was gathered
