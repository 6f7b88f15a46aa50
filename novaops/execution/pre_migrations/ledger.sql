CREATE TABLE IF NOT EXISTS novaops.migrations (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    phase text NOT NULL CHECK (phase IN ('pre', 'post')),
    outcome text NOT NULL CHECK (outcome IN ('started', 'applied', 'not needed', 'adopted')),
    statements_done integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    applied_by text NOT NULL DEFAULT session_user
)
