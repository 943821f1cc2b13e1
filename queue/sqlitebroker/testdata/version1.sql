BEGIN TRANSACTION;
CREATE TABLE leat_arrival (
    latch INTEGER NOT NULL,                -- leat_latch.num
    word  INTEGER NOT NULL,                -- member / 64
    bits  INTEGER NOT NULL,                -- bit member % 64
    PRIMARY KEY (latch, word)
) STRICT, WITHOUT ROWID;
INSERT INTO "leat_arrival" VALUES(2,0,2);
CREATE TABLE leat_claim (
    queue INTEGER NOT NULL,                -- leat_queue.num
    key   TEXT    NOT NULL,
    entry TEXT    NOT NULL,                -- id of the entry that holds it
    until INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "leat_claim" VALUES(1,'once','claimed',1795535635776);
CREATE TABLE leat_day (
    queue     INTEGER NOT NULL,            -- leat_queue.num
    day       INTEGER NOT NULL,            -- days since 1970, UTC
    processed INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    PRIMARY KEY (queue, day)
) STRICT, WITHOUT ROWID;
INSERT INTO "leat_day" VALUES(1,20781,1,1);
CREATE TABLE leat_document (
    home    INTEGER NOT NULL,              -- leat_home.num
    key     TEXT    NOT NULL,
    version INTEGER NOT NULL,
    body    BLOB,
    PRIMARY KEY (home, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "leat_document" VALUES(1,'control',1,X'72756E6E696E67');
INSERT INTO "leat_document" VALUES(1,'input',2,X'696E');
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
INSERT INTO "leat_entry" VALUES(1,1,'first',5,1795532036000,NULL,1795532035776,'test:q',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'7061796C6F6164206F66206669727374');
INSERT INTO "leat_entry" VALUES(2,1,'second',1,1795532046000,'QPMGLNX4AGT6RTDXJV46D4AUTD',1795532035776,'test:q',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'7061796C6F6164206F66207365636F6E64');
INSERT INTO "leat_entry" VALUES(3,1,'claimed',2,2,NULL,1795532035776,'test:q',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'once',NULL,NULL,NULL,NULL,NULL,X'7061796C6F6164206F6620636C61696D6564');
INSERT INTO "leat_entry" VALUES(4,1,'later',3,1795535635776,NULL,NULL,'test:q',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'7061796C6F6164206F66206C61746572');
INSERT INTO "leat_entry" VALUES(5,1,'item0',2,3,NULL,1795532035776,'test:q',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'q','run',NULL,NULL,NULL,X'7061796C6F6164206F66206974656D30');
INSERT INTO "leat_entry" VALUES(6,1,'grouped',3,1795535635778,NULL,NULL,'test:q',0,0,NULL,NULL,NULL,NULL,NULL,NULL,'g',NULL,NULL,NULL,NULL,'{"h":"1"}',NULL,X'7061796C6F6164206F662067726F75706564');
CREATE TABLE leat_feed (
    latch INTEGER NOT NULL,                -- leat_latch.num
    place INTEGER NOT NULL,                -- counts from 0 within the latch
    entry TEXT    NOT NULL,                -- JSON
    PRIMARY KEY (latch, place)
) STRICT, WITHOUT ROWID;
INSERT INTO "leat_feed" VALUES(1,1,'{"queue":"q","id":"item1","type":"test:q","payload":"cGF5bG9hZCBvZiBpdGVtMQ==","home_queue":"q","home_id":"run"}');
INSERT INTO "leat_feed" VALUES(1,2,'{"queue":"q","id":"item2","type":"test:q","payload":"cGF5bG9hZCBvZiBpdGVtMg==","home_queue":"q","home_id":"run"}');
CREATE TABLE leat_home (
    num     INTEGER PRIMARY KEY,
    queue   TEXT,                          -- a name: the queue need not exist
    id      TEXT,
    version INTEGER NOT NULL DEFAULT 0,    -- of the document written last
    close   INTEGER,                       -- when it is deleted
    UNIQUE (queue, id)
) STRICT;
INSERT INTO "leat_home" VALUES(1,'q','run',2,NULL);
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
INSERT INTO "leat_latch" VALUES(1,1,'map',3,1,0,0,3,1,0,0,0);
INSERT INTO "leat_latch" VALUES(2,1,'join',2,0,0,0,0,0,1,0,0);
CREATE TABLE leat_part (
    latch INTEGER PRIMARY KEY,             -- leat_latch.num
    body  TEXT NOT NULL                    -- JSON
) STRICT;
INSERT INTO "leat_part" VALUES(1,'{"then":{"entries":[{"queue":"q","id":"then","type":"test:q","payload":"cGF5bG9hZCBvZiB0aGVu"}]}}');
INSERT INTO "leat_part" VALUES(2,'{"then":{"entries":[{"queue":"q","id":"then","type":"test:q","payload":"cGF5bG9hZCBvZiB0aGVu"}]}}');
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
INSERT INTO "leat_queue" VALUES(1,'q',0,4,2,1,2,0,1,0,1,1);
CREATE TABLE leat_schema (version INTEGER NOT NULL) STRICT;
INSERT INTO "leat_schema" VALUES(1);
CREATE TABLE leat_server (
    id     TEXT PRIMARY KEY,
    until  INTEGER NOT NULL,               -- when it is forgotten
    record TEXT    NOT NULL                -- JSON
) STRICT, WITHOUT ROWID;
INSERT INTO "leat_server" VALUES('server',1795532045777,'{"ID":"server","Host":"","PID":0,"Concurrency":0,"Queues":null,"Strict":false,"Status":"","Started":"0001-01-01T00:00:00Z","Workers":null,"Gone":false}');
CREATE INDEX leat_entry_order ON leat_entry (queue, state, at, id);
CREATE INDEX leat_home_close ON leat_home (queue, close, id) WHERE close IS NOT NULL;
CREATE INDEX leat_server_until ON leat_server (until);
COMMIT;
