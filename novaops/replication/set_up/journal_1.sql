CREATE TABLE novaops.replication_run (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    replication text NOT NULL,
    source text NOT NULL,
    action text NOT NULL,
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    outcome text,
    error text,
    role text NOT NULL DEFAULT session_user,
    client text NOT NULL,
    made jsonb NOT NULL DEFAULT '[]'
);
COMMENT ON TABLE novaops.replication_run IS
    'Set-ups, rebuilds and tear-downs of replications to this database. made: what the run has made, named before it is made, so that the next run knows it after a crash.';
