-- Which groups entries have come to wait in, in order: by numbers that go on within
-- the queue, and begin with the time of the first join, in microseconds.

ALTER TABLE leat_queue ADD COLUMN joined INTEGER NOT NULL DEFAULT 0; -- the number of the last join
ALTER TABLE leat_group ADD COLUMN joined INTEGER NOT NULL DEFAULT 0; -- that of the group's last; 0: not known

CREATE INDEX leat_group_joined ON leat_group (queue, joined) WHERE joined > 0 AND size > 0;
