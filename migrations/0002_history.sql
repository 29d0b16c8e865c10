-- What was measured, over time.
-- Unknown is NULL. Values are whole numbers of the unit that stands beside the column of the samples; the other tables
-- of the same kind have the same units.
--
-- A key is the number of the miner (0 for the battery) × 2⁴⁸ + milliseconds since 1970-01-01T00:00:00Z. A row thus
-- goes behind the last one, on a page that is filled to its end. A key of two columns, in a table without rowid, was
-- measured to write a third more pages.
--
-- Samples are kept for a while; then only what was made of them is left, and that for good:
--   …_1min, …_15min, …_6h  One row for each stretch of this length that holds a sample. The key tells when it begins,
--                          at a multiple of its length since 1970. For each quantity: the number of samples in which it
--                          wasn't known, and the least, the mean (rounded) and the greatest of the others.
-- A row of 15 minutes holds the energies of its stretch too, in mWh, and how much of it readings cover; so it is also
-- there where only a line between two samples passes through, with no samples. A row of six hours is made once a sample
-- of a later one is there: until then its 15 minutes stand for it.

CREATE TABLE battery_samples (
    key        INTEGER NOT NULL PRIMARY KEY, -- the time is the battery's own
    soc        INTEGER, -- 0.1 %
    pv         INTEGER, -- W
    load       INTEGER, -- W
    grid       INTEGER, -- W, positive = import
    battery    INTEGER  -- W, positive = charging
) STRICT;

CREATE TABLE battery_1min (
    key              INTEGER NOT NULL PRIMARY KEY,
    samples          INTEGER NOT NULL,
    soc_unknown      INTEGER NOT NULL, soc_min     INTEGER, soc_mean     INTEGER, soc_max     INTEGER,
    pv_unknown       INTEGER NOT NULL, pv_min      INTEGER, pv_mean      INTEGER, pv_max      INTEGER,
    load_unknown     INTEGER NOT NULL, load_min    INTEGER, load_mean    INTEGER, load_max    INTEGER,
    grid_unknown     INTEGER NOT NULL, grid_min    INTEGER, grid_mean    INTEGER, grid_max    INTEGER,
    battery_unknown  INTEGER NOT NULL, battery_min INTEGER, battery_mean INTEGER, battery_max INTEGER
) STRICT;

CREATE TABLE battery_15min (
    key              INTEGER NOT NULL PRIMARY KEY,
    samples          INTEGER NOT NULL,
    soc_unknown      INTEGER NOT NULL, soc_min     INTEGER, soc_mean     INTEGER, soc_max     INTEGER,
    pv_unknown       INTEGER NOT NULL, pv_min      INTEGER, pv_mean      INTEGER, pv_max      INTEGER,
    load_unknown     INTEGER NOT NULL, load_min    INTEGER, load_mean    INTEGER, load_max    INTEGER,
    grid_unknown     INTEGER NOT NULL, grid_min    INTEGER, grid_mean    INTEGER, grid_max    INTEGER,
    battery_unknown  INTEGER NOT NULL, battery_min INTEGER, battery_mean INTEGER, battery_max INTEGER,
    pv_mwh           INTEGER NOT NULL,
    load_mwh         INTEGER NOT NULL,
    imported_mwh     INTEGER NOT NULL,
    exported_mwh     INTEGER NOT NULL,
    charged_mwh      INTEGER NOT NULL,
    discharged_mwh   INTEGER NOT NULL,
    covered_ms       INTEGER NOT NULL
) STRICT;

CREATE TABLE battery_6h (
    key              INTEGER NOT NULL PRIMARY KEY,
    samples          INTEGER NOT NULL,
    soc_unknown      INTEGER NOT NULL, soc_min     INTEGER, soc_mean     INTEGER, soc_max     INTEGER,
    pv_unknown       INTEGER NOT NULL, pv_min      INTEGER, pv_mean      INTEGER, pv_max      INTEGER,
    load_unknown     INTEGER NOT NULL, load_min    INTEGER, load_mean    INTEGER, load_max    INTEGER,
    grid_unknown     INTEGER NOT NULL, grid_min    INTEGER, grid_mean    INTEGER, grid_max    INTEGER,
    battery_unknown  INTEGER NOT NULL, battery_min INTEGER, battery_mean INTEGER, battery_max INTEGER
) STRICT;

-- A miner's id is a text: it stands here once, and its number in every row.
CREATE TABLE miner_numbers (
    number  INTEGER NOT NULL PRIMARY KEY CHECK (number BETWEEN 1 AND 32767),
    id      TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE miner_samples (
    key        INTEGER NOT NULL PRIMARY KEY,
    power      INTEGER, -- W
    power_set  INTEGER, -- W
    hash_rate  INTEGER, -- GH/s
    ambient    INTEGER, -- 0.1 °C
    chip_max   INTEGER, -- 0.1 °C
    fan_in     INTEGER, -- rpm
    fan_out    INTEGER  -- rpm
) STRICT;

CREATE TABLE miner_1min (
    key                INTEGER NOT NULL PRIMARY KEY,
    samples            INTEGER NOT NULL,
    power_unknown      INTEGER NOT NULL, power_min     INTEGER, power_mean     INTEGER, power_max     INTEGER,
    power_set_unknown  INTEGER NOT NULL, power_set_min INTEGER, power_set_mean INTEGER, power_set_max INTEGER,
    hash_rate_unknown  INTEGER NOT NULL, hash_rate_min INTEGER, hash_rate_mean INTEGER, hash_rate_max INTEGER,
    ambient_unknown    INTEGER NOT NULL, ambient_min   INTEGER, ambient_mean   INTEGER, ambient_max   INTEGER,
    chip_max_unknown   INTEGER NOT NULL, chip_max_min  INTEGER, chip_max_mean  INTEGER, chip_max_max  INTEGER,
    fan_in_unknown     INTEGER NOT NULL, fan_in_min    INTEGER, fan_in_mean    INTEGER, fan_in_max    INTEGER,
    fan_out_unknown    INTEGER NOT NULL, fan_out_min   INTEGER, fan_out_mean   INTEGER, fan_out_max   INTEGER
) STRICT;

CREATE TABLE miner_15min (
    key                INTEGER NOT NULL PRIMARY KEY,
    samples            INTEGER NOT NULL,
    power_unknown      INTEGER NOT NULL, power_min     INTEGER, power_mean     INTEGER, power_max     INTEGER,
    power_set_unknown  INTEGER NOT NULL, power_set_min INTEGER, power_set_mean INTEGER, power_set_max INTEGER,
    hash_rate_unknown  INTEGER NOT NULL, hash_rate_min INTEGER, hash_rate_mean INTEGER, hash_rate_max INTEGER,
    ambient_unknown    INTEGER NOT NULL, ambient_min   INTEGER, ambient_mean   INTEGER, ambient_max   INTEGER,
    chip_max_unknown   INTEGER NOT NULL, chip_max_min  INTEGER, chip_max_mean  INTEGER, chip_max_max  INTEGER,
    fan_in_unknown     INTEGER NOT NULL, fan_in_min    INTEGER, fan_in_mean    INTEGER, fan_in_max    INTEGER,
    fan_out_unknown    INTEGER NOT NULL, fan_out_min   INTEGER, fan_out_mean   INTEGER, fan_out_max   INTEGER,
    drawn_mwh          INTEGER NOT NULL,
    covered_ms         INTEGER NOT NULL
) STRICT;

CREATE TABLE miner_6h (
    key                INTEGER NOT NULL PRIMARY KEY,
    samples            INTEGER NOT NULL,
    power_unknown      INTEGER NOT NULL, power_min     INTEGER, power_mean     INTEGER, power_max     INTEGER,
    power_set_unknown  INTEGER NOT NULL, power_set_min INTEGER, power_set_mean INTEGER, power_set_max INTEGER,
    hash_rate_unknown  INTEGER NOT NULL, hash_rate_min INTEGER, hash_rate_mean INTEGER, hash_rate_max INTEGER,
    ambient_unknown    INTEGER NOT NULL, ambient_min   INTEGER, ambient_mean   INTEGER, ambient_max   INTEGER,
    chip_max_unknown   INTEGER NOT NULL, chip_max_min  INTEGER, chip_max_mean  INTEGER, chip_max_max  INTEGER,
    fan_in_unknown     INTEGER NOT NULL, fan_in_min    INTEGER, fan_in_mean    INTEGER, fan_in_max    INTEGER,
    fan_out_unknown    INTEGER NOT NULL, fan_out_min   INTEGER, fan_out_mean   INTEGER, fan_out_max   INTEGER
) STRICT;
