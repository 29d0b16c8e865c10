-- What the control law must not forget over a restart, and the journal of what it did.
-- Times are milliseconds since 1970-01-01T00:00:00Z (…_utc_ms) or on the controller's monotonic clock (…_mono_ms).
-- Unknown is NULL. Enumerations are the words of the API; values with parts are JSON.

CREATE TABLE law_states (
    miner       TEXT    NOT NULL PRIMARY KEY,
    state       TEXT    NOT NULL, -- JSON of the law's own; nothing here looks inside
    at_mono_ms  INTEGER NOT NULL,
    at_utc_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE operations (
    id                   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- a number is never given twice
    miner                TEXT    NOT NULL,
    command              TEXT    NOT NULL, -- JSON
    reason               TEXT    NOT NULL,
    stage                TEXT    NOT NULL,
    means                TEXT,
    decided_utc_ms       INTEGER NOT NULL,
    sent_utc_ms          INTEGER,
    acknowledged_utc_ms  INTEGER,
    ended_utc_ms         INTEGER,
    words                TEXT
) STRICT;

CREATE INDEX operations_of_a_miner ON operations (miner, id);

CREATE TABLE decisions (
    id                    INTEGER NOT NULL PRIMARY KEY,
    miner                 TEXT    NOT NULL,
    at_utc_ms             INTEGER NOT NULL,
    rule                  TEXT    NOT NULL,
    reason                TEXT    NOT NULL,
    wanted                TEXT    NOT NULL, -- a word, or JSON
    command               TEXT,             -- JSON
    blocked_by            TEXT,
    blocked_until_utc_ms  INTEGER,
    why                   TEXT    NOT NULL,
    why_not_more          TEXT,
    what_would_change     TEXT    NOT NULL,
    when_text             TEXT,
    soc_percent           REAL,
    source_utc_ms         INTEGER,
    miner_power_w         REAL
) STRICT;

CREATE INDEX decisions_of_a_miner ON decisions (miner, at_utc_ms);

CREATE TABLE miner_identities (
    miner      TEXT    NOT NULL PRIMARY KEY,
    mac        TEXT,
    model      TEXT,
    firmware   TEXT,
    serial     TEXT,
    api        TEXT    NOT NULL,
    at_utc_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    key    TEXT NOT NULL PRIMARY KEY,
    value  TEXT NOT NULL -- JSON
) STRICT;
