-- What is open of homes, how large their documents are, what they are found by.

ALTER TABLE leat_home ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0; -- of the bodies of its documents

UPDATE leat_home SET bytes = (SELECT coalesce(sum(length(body)), 0) FROM leat_document WHERE home = num);

-- Entries that belong to a home and have not ended. One that is parked has not.
CREATE INDEX leat_entry_open ON leat_entry (home_queue, home_id)
    WHERE home_queue IS NOT NULL AND (state NOT IN (5, 6) OR ended = 4);

-- What is enqueued once nothing of a home is open.
CREATE TABLE leat_drain (
    home INTEGER PRIMARY KEY,              -- leat_home.num
    body TEXT NOT NULL                     -- JSON
) STRICT;

-- What homes are found by. Each that is found has a row with an empty term, too.
CREATE TABLE leat_term (
    home  INTEGER NOT NULL,                -- leat_home.num
    term  TEXT    NOT NULL,
    queue TEXT    NOT NULL,                -- of the home, as its id
    at    INTEGER NOT NULL,                -- orders the homes, ties by id
    id    TEXT    NOT NULL,
    PRIMARY KEY (home, term)
) STRICT, WITHOUT ROWID;

CREATE INDEX leat_term_order ON leat_term (queue, term, at, id);
