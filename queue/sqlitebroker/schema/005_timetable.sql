-- Schedulers, and what their entries have enqueued.

CREATE TABLE leat_scheduler (
    id     TEXT PRIMARY KEY,
    until  INTEGER NOT NULL,               -- when it is forgotten
    record TEXT    NOT NULL                -- JSON
) STRICT, WITHOUT ROWID;

CREATE INDEX leat_scheduler_until ON leat_scheduler (until);

-- The last ticks of each entry.
CREATE TABLE leat_tick (
    entry TEXT    NOT NULL,                -- id of a periodic entry
    at    INTEGER NOT NULL,                -- seconds
    task  TEXT    NOT NULL,                -- id of what it enqueued
    PRIMARY KEY (entry, at, task)
) STRICT, WITHOUT ROWID;
