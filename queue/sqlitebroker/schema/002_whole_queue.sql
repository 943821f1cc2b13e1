-- Groups, batches, claims that last as long as their entries, crashes, records
-- of attempts, and what operators and waiting programs need.

ALTER TABLE leat_queue ADD COLUMN aggregating INTEGER NOT NULL DEFAULT 0;
ALTER TABLE leat_queue ADD COLUMN version     INTEGER NOT NULL DEFAULT 0; -- of the entry written last
ALTER TABLE leat_queue ADD COLUMN advanced    INTEGER;                    -- when it was last advanced, or began to have leases, nanoseconds
ALTER TABLE leat_queue ADD COLUMN grace       INTEGER;                    -- until then no lease is taken back

-- Queues from which nothing is leased. They need not exist.
CREATE TABLE leat_paused (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The table is made anew for the order of its columns: what is read often lies
-- before what may be long.
CREATE TABLE leat_entry_new (
    num         INTEGER PRIMARY KEY,
    queue       INTEGER NOT NULL,          -- leat_queue.num
    id          TEXT    NOT NULL,
    state       INTEGER NOT NULL,          -- task.State
    at          INTEGER NOT NULL,          -- orders the entries of one state. Pending: the place in line;
                                           -- active: end of the lease; scheduled, retry: when due;
                                           -- completed: end of the retention; archived: since when;
                                           -- aggregating: when it was added to its group
    token       TEXT,                      -- of the lease, while active; of the batch, while frozen in one
    ready       INTEGER,                   -- since when it was pending
    version     INTEGER NOT NULL DEFAULT 0,-- counts up within the queue
    type        TEXT    NOT NULL,
    max_retry   INTEGER NOT NULL,
    retried     INTEGER NOT NULL,
    last_error  TEXT,
    failed      INTEGER,                   -- when it last failed, seconds
    timeout     INTEGER,                   -- of one attempt
    deadline    INTEGER,                   -- of all attempts
    retention   INTEGER,                   -- how long it is kept when completed
    completed   INTEGER,                   -- when it completed, seconds
    start_by    INTEGER,                   -- when it is too late to begin
    group_name  TEXT,                      -- the group in which it waits
    claim       TEXT,                      -- the key that it claimed
    claim_start INTEGER,                   -- 1: it ends when the entry is first leased
    claim_hold  INTEGER,                   -- it does not end before
    claim_since INTEGER,
    behind      INTEGER,                   -- 1: it waits for the claim
    max_crashes INTEGER,
    crashes     INTEGER,                   -- leases that have run out, one after another
    ended       INTEGER,                   -- broker.End
    asked       INTEGER,                   -- 1: to be cancelled, while active
    watched     INTEGER,                   -- 1: somebody waits for its end
    attempts    INTEGER,                   -- how many were recorded
    home_queue  TEXT,
    home_id     TEXT,
    reads       TEXT,                      -- JSON: keys of documents
    headers     TEXT,                      -- JSON: an object of strings
    leaves      TEXT,                      -- JSON: the entry that is enqueued if it does not end by itself
    progress    BLOB,
    result      BLOB,
    payload     BLOB,
    UNIQUE (queue, id)
) STRICT;

INSERT INTO leat_entry_new (num, queue, id, state, at, token, ready, type, max_retry, retried, last_error, failed,
    timeout, deadline, retention, completed, group_name, claim, home_queue, home_id, reads, headers, result, payload)
SELECT num, queue, id, state, at, token, ready, type, max_retry, retried, last_error, failed,
    timeout, deadline, retention, completed, group_name, claim, home_queue, home_id, reads, headers, result, payload
FROM leat_entry;

DROP TABLE leat_entry;
ALTER TABLE leat_entry_new RENAME TO leat_entry;

-- Leasing, advancing and listing each read a range of this one.
CREATE INDEX leat_entry_order ON leat_entry (queue, state, at, id);

-- Those that wait in a group, and those that are frozen in a batch.
CREATE INDEX leat_entry_group ON leat_entry (queue, group_name, at, id) WHERE state = 7 AND token IS NULL;
CREATE INDEX leat_entry_batch ON leat_entry (token, at, id) WHERE state = 7 AND token IS NOT NULL;

-- The last attempts of an entry, numbered from 1.
CREATE TABLE leat_attempt (
    entry   INTEGER NOT NULL,              -- leat_entry.num
    number  INTEGER NOT NULL,
    started INTEGER,
    ended   INTEGER,
    worker  TEXT,
    error   TEXT,
    PRIMARY KEY (entry, number)
) STRICT, WITHOUT ROWID;

-- The until of a claim that lasts as long as its entry is the greatest number.
ALTER TABLE leat_claim ADD COLUMN waiter TEXT;    -- id of the entry that waits behind it
ALTER TABLE leat_claim ADD COLUMN gone   INTEGER; -- 1: its entry has ended, and it is held until then

CREATE INDEX leat_claim_gone ON leat_claim (queue, until) WHERE gone IS NOT NULL;

-- Groups that hold entries.
CREATE TABLE leat_group (
    queue  INTEGER NOT NULL,               -- leat_queue.num
    name   TEXT    NOT NULL,
    size   INTEGER NOT NULL,               -- entries that wait
    frozen INTEGER NOT NULL,               -- entries that are in batches
    PRIMARY KEY (queue, name)
) STRICT, WITHOUT ROWID;

-- Batches that are held.
CREATE TABLE leat_batch (
    token      TEXT PRIMARY KEY,
    queue      INTEGER NOT NULL,           -- leat_queue.num
    group_name TEXT    NOT NULL,
    until      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leat_batch_until ON leat_batch (queue, until, token);

-- What those who listen are told: the last of them.
CREATE TABLE leat_signal (
    num   INTEGER PRIMARY KEY,
    kind  INTEGER NOT NULL,                -- broker.SignalKind
    queue TEXT    NOT NULL,
    entry TEXT    NOT NULL
) STRICT;

-- What has happened to entries: the last of it, if somebody wants to know.
CREATE TABLE leat_event (
    num   INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    queue TEXT    NOT NULL,
    entry TEXT    NOT NULL,
    state INTEGER NOT NULL                 -- task.State; 0: it was deleted
) STRICT;
