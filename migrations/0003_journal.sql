-- What the journal of decisions needs to be read by: what became of a decision's command, what the miner was set to, and
-- ways to the entries that are asked for, however long the journal is.

ALTER TABLE decisions ADD COLUMN operation INTEGER; -- which of operations carried the command out
ALTER TABLE decisions ADD COLUMN power_set_pct REAL; -- what the miner was set to, of its full power

-- Everything that a question tells entries apart by, in the order that they are told in within a rule.
CREATE INDEX decisions_by_rule ON decisions (rule, at_utc_ms, id, miner, reason);
CREATE INDEX commands_by_rule ON decisions (rule, at_utc_ms, id, miner, reason) WHERE command IS NOT NULL;
CREATE INDEX decisions_by_operation ON decisions (operation) WHERE operation IS NOT NULL;
