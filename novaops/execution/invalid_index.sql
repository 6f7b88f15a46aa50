-- Whether the index is not valid, and the session that is building it now, if there is one. A build
-- CONCURRENTLY holds its lock on the table from beginning to end; of other roles' builds
-- pg_stat_progress_create_index shows no more than the pid.
SELECT l.pid
FROM pg_catalog.pg_index x
LEFT JOIN (
    pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = l.pid
) ON l.relation = x.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
WHERE x.indexrelid = to_regclass(%(index)s) AND NOT x.indisvalid
