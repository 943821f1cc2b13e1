-- Times are milliseconds since 1970, UTC, unless a column says otherwise.
-- A NULL stands for the zero value of the field that the column holds.

CREATE TABLE leat_queue (
    num       INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    head      INTEGER NOT NULL DEFAULT 0,  -- pending entries lie at places head to tail-1
    tail      INTEGER NOT NULL DEFAULT 0,
    pending   INTEGER NOT NULL DEFAULT 0,  -- how many entries are in each state
    active    INTEGER NOT NULL DEFAULT 0,
    scheduled INTEGER NOT NULL DEFAULT 0,
    retry     INTEGER NOT NULL DEFAULT 0,
    archived  INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    processed INTEGER NOT NULL DEFAULT 0,  -- outcomes ever
    failed    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE leat_day (
    queue     INTEGER NOT NULL,            -- leat_queue.num
    day       INTEGER NOT NULL,            -- days since 1970, UTC
    processed INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    PRIMARY KEY (queue, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE leat_entry (
    num        INTEGER PRIMARY KEY,
    queue      INTEGER NOT NULL,           -- leat_queue.num
    id         TEXT    NOT NULL,
    state      INTEGER NOT NULL,           -- task.State
    at         INTEGER NOT NULL,           -- orders the entries of one state. Pending: the place in line;
                                           -- active: end of the lease; scheduled, retry: when due;
                                           -- completed: end of the retention; archived: since when
    token      TEXT,                       -- of the lease, while active
    ready      INTEGER,                    -- since when it was pending
    type       TEXT    NOT NULL,
    max_retry  INTEGER NOT NULL,
    retried    INTEGER NOT NULL,
    last_error TEXT,
    failed     INTEGER,                    -- when it last failed, seconds
    timeout    INTEGER,                    -- of one attempt
    deadline   INTEGER,                    -- of all attempts
    retention  INTEGER,                    -- how long it is kept when completed
    completed  INTEGER,                    -- when it completed, seconds
    group_name TEXT,                       -- the group in which it waits
    claim      TEXT,                       -- the key that it claimed
    home_queue TEXT,
    home_id    TEXT,
    reads      TEXT,                       -- JSON: keys of documents
    headers    TEXT,                       -- JSON: an object of strings
    result     BLOB,
    payload    BLOB,
    UNIQUE (queue, id)
) STRICT;

-- Leasing, advancing and listing each read a range of this one.
CREATE INDEX leat_entry_order ON leat_entry (queue, state, at, id);

CREATE TABLE leat_claim (
    queue INTEGER NOT NULL,                -- leat_queue.num
    key   TEXT    NOT NULL,
    entry TEXT    NOT NULL,                -- id of the entry that holds it
    until INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

-- A home that has been closed has no name any more, and is deleted once
-- everything that belongs to it is.
CREATE TABLE leat_home (
    num     INTEGER PRIMARY KEY,
    queue   TEXT,                          -- a name: the queue need not exist
    id      TEXT,
    version INTEGER NOT NULL DEFAULT 0,    -- of the document written last
    close   INTEGER,                       -- when it is deleted
    UNIQUE (queue, id)
) STRICT;

CREATE INDEX leat_home_close ON leat_home (queue, close, id) WHERE close IS NOT NULL;

CREATE TABLE leat_document (
    home    INTEGER NOT NULL,              -- leat_home.num
    key     TEXT    NOT NULL,
    version INTEGER NOT NULL,
    body    BLOB,
    PRIMARY KEY (home, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE leat_latch (
    num      INTEGER PRIMARY KEY,
    home     INTEGER NOT NULL,             -- leat_home.num
    id       TEXT    NOT NULL,
    total    INTEGER NOT NULL,
    window   INTEGER NOT NULL,
    stop_at  INTEGER NOT NULL,
    tolerate INTEGER NOT NULL,
    fed      INTEGER NOT NULL DEFAULT 0,
    released INTEGER NOT NULL DEFAULT 0,
    arrived  INTEGER NOT NULL DEFAULT 0,
    marked   INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 0,
    UNIQUE (home, id)
) STRICT;

-- What a latch does when it completes. It lies apart from the counts, so that
-- an arrival does not write it again.
CREATE TABLE leat_part (
    latch INTEGER PRIMARY KEY,             -- leat_latch.num
    body  TEXT NOT NULL                    -- JSON
) STRICT;

-- Which members have arrived: 64 of them to a row.
CREATE TABLE leat_arrival (
    latch INTEGER NOT NULL,                -- leat_latch.num
    word  INTEGER NOT NULL,                -- member / 64
    bits  INTEGER NOT NULL,                -- bit member % 64
    PRIMARY KEY (latch, word)
) STRICT, WITHOUT ROWID;

-- Entries that wait for a latch to release them: those from place
-- leat_latch.released on.
CREATE TABLE leat_feed (
    latch INTEGER NOT NULL,                -- leat_latch.num
    place INTEGER NOT NULL,                -- counts from 0 within the latch
    entry TEXT    NOT NULL,                -- JSON
    PRIMARY KEY (latch, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE leat_server (
    id     TEXT PRIMARY KEY,
    until  INTEGER NOT NULL,               -- when it is forgotten
    record TEXT    NOT NULL                -- JSON
) STRICT, WITHOUT ROWID;

CREATE INDEX leat_server_until ON leat_server (until);
