-- Version 2: which objects a statement drops although a later one creates them again. Null in runs of before.
ALTER TABLE novaops.journal_statement ADD COLUMN drops jsonb, ADD COLUMN restores jsonb;
COMMENT ON COLUMN novaops.journal_statement.drops IS 'Objects that are missing from this statement on, until a later one restores them';
COMMENT ON COLUMN novaops.journal_statement.restores IS 'Names of the objects that exist again when the statement has run';
