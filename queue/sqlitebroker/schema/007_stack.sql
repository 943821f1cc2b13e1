-- Where handlers panicked.

ALTER TABLE leat_attempt ADD COLUMN stack TEXT; -- NULL: it did not
