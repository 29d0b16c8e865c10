-- Who may change something: the household's password, who is signed in, what programs may do; and who changed what.
-- Of a secret only its hash is here.

CREATE TABLE password (
    id              INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), -- a household has one
    hash            TEXT    NOT NULL, -- Argon2id, as a PHC string
    changed_utc_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- a number is never given twice
    hash            BLOB    NOT NULL UNIQUE, -- SHA-256 of what the browser holds
    begun_utc_ms    INTEGER NOT NULL,
    seen_utc_ms     INTEGER NOT NULL,
    address         TEXT    NOT NULL,
    browser         TEXT    NOT NULL
) STRICT;

CREATE TABLE tokens (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    hash            BLOB    NOT NULL UNIQUE,
    name            TEXT    NOT NULL,
    scope           TEXT    NOT NULL,
    made_utc_ms     INTEGER NOT NULL,
    used_utc_ms     INTEGER
) STRICT;

CREATE TABLE audit (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_utc_ms       INTEGER NOT NULL,
    who             TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    what            TEXT    NOT NULL,
    outcome         TEXT    NOT NULL
) STRICT;
