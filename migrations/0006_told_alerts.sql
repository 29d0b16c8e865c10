-- Which alerts were told to people, by each way outward: what holds and was told isn't told again after a restart, and its end
-- is.

CREATE TABLE told_alerts (
    channel      TEXT    NOT NULL, -- "ntfy", "mail"
    code         TEXT    NOT NULL,
    miner        TEXT    NOT NULL, -- empty where it is about none
    last_utc_ms  INTEGER NOT NULL, -- when it was last told
    times        INTEGER NOT NULL,
    PRIMARY KEY (channel, code, miner)
) STRICT;
