ALTER TABLE novaops.replication_run ADD COLUMN consents jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN novaops.replication_run.consents IS 'What loss of rows was allowed, with the reasons.';
