CREATE TABLE novaops.replica_grant (
    replication text NOT NULL,
    run bigint NOT NULL,
    schema text NOT NULL,
    "table" text NOT NULL,
    "column" text,
    privilege text NOT NULL,
    grantee text NOT NULL,
    grantor text NOT NULL,
    grantable boolean NOT NULL,
    taken timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (replication, schema, "table", "column", privilege, grantee, grantor)
);
COMMENT ON TABLE novaops.replica_grant IS
    'Rights to write that were taken because a table is a read-only replica; given back when it is none any more. grantee: a role, or nothing for PUBLIC. grantor: a role, or nothing for the owner.';
