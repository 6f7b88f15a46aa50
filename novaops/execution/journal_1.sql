-- Version 1 of the journal: what was applied here, by whom, and how far it came.
CREATE TABLE novaops.journal (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    role name NOT NULL DEFAULT session_user,
    client text NOT NULL,
    novaops text NOT NULL,
    plan text NOT NULL,
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
COMMENT ON COLUMN novaops.journal.outcome IS 'null while it runs, or if it was killed';
COMMENT ON COLUMN novaops.journal.stamp IS 'The catalogs as the last committed statement left them';
COMMENT ON COLUMN novaops.journal.state IS 'Digest of the schema after the last run that converged, compressed';

CREATE TABLE novaops.journal_statement (
    run bigint NOT NULL REFERENCES novaops.journal,
    number integer NOT NULL,
    transaction integer,
    sql text NOT NULL,
    undo text,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'started', 'done')),
    finished timestamptz,
    PRIMARY KEY (run, number)
);
COMMENT ON TABLE novaops.journal_statement IS 'Statements of the runs, secrets masked';
COMMENT ON COLUMN novaops.journal_statement.transaction IS 'Null for one that ran outside of any';
COMMENT ON COLUMN novaops.journal_statement.undo IS 'What clears away what it leaves behind when it is cut off';
