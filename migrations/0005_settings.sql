-- What a person changed on the settings page. It wins over file and environment.

CREATE TABLE settings (
    name            TEXT    NOT NULL PRIMARY KEY, -- "autocontrol.sunset_soc", "miners.garage.host"
    value           TEXT    NOT NULL, -- as it would be written in the file; empty for none
    changed_utc_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE setting_changes (
    id              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_utc_ms       INTEGER NOT NULL,
    who             TEXT    NOT NULL,
    changes         TEXT    NOT NULL -- what was there before and after, by name, as JSON
) STRICT;
