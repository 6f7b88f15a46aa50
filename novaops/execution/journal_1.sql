-- Version 1 of the journal: what was applied here, by whom, and how far it came.
CREATE TABLE novaops.journal (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    role name NOT NULL DEFAULT session_user,
    client text NOT NULL,
    novaops text NOT NULL,
    plan text NOT NULL,
    desired text NOT NULL,
    files text NOT NULL,
    summary jsonb NOT NULL,
    outcome text CHECK (outcome IN ('converged', 'applied', 'differs', 'failed', 'interrupted')),
    error text,
    resumed integer NOT NULL DEFAULT 0,
    stamp text NOT NULL,
    state bytea
);
COMMENT ON TABLE novaops.journal IS 'Runs of novaops apply; see novaops history';
COMMENT ON COLUMN novaops.journal.plan IS 'SHA-256 of the plan: a run that was cut off is resumed with the same one';
COMMENT ON COLUMN novaops.journal.desired IS 'Fingerprint of what the files declared: a run that was cut off is finished for the same ones';
COMMENT ON COLUMN novaops.journal.outcome IS 'null while it runs, or if it was killed';
COMMENT ON COLUMN novaops.journal.stamp IS 'The catalogs as the last committed statement left them';
COMMENT ON COLUMN novaops.journal.state IS 'Digest of the schema after the last run that converged, compressed';

CREATE TABLE novaops.journal_statement (
    run bigint NOT NULL REFERENCES novaops.journal,
    number integer NOT NULL,
    transaction integer,
    kind text NOT NULL,
    object text NOT NULL,
    operation text NOT NULL,
    sql text NOT NULL,
    masked boolean NOT NULL,
    guards jsonb NOT NULL,
    index text,
    patient boolean NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'started', 'done')),
    finished timestamptz,
    PRIMARY KEY (run, number)
);
COMMENT ON TABLE novaops.journal_statement IS 'Statements of the runs, secrets masked';
COMMENT ON COLUMN novaops.journal_statement.transaction IS 'Null for one that ran outside of any';
COMMENT ON COLUMN novaops.journal_statement.guards IS 'What was empty when the plan was made, and is looked at again before it is lost';
COMMENT ON COLUMN novaops.journal_statement.index IS 'The index that it builds concurrently, and leaves behind not valid when it is cut off';
COMMENT ON COLUMN novaops.journal_statement.patient IS 'Whether it locks nobody out and may wait for its locks';
