SELECT
    a.pid,
    NULL::text AS gid,
    a.datname::text,
    a.usename::text,
    a.state,
    clock_timestamp() - coalesce(a.xact_start, a.query_start) AS age,
    a.query
FROM pg_catalog.pg_stat_activity a
-- Those that have an xid have written; only for them the snapshot of a slot waits (SnapBuildWaitSnapshot).
WHERE a.backend_xid IS NOT NULL AND a.pid <> pg_backend_pid()
UNION ALL
SELECT NULL, p.gid, p.database::text, p.owner::text, 'prepared', clock_timestamp() - p.prepared, NULL
FROM pg_catalog.pg_prepared_xacts p
ORDER BY 6 DESC
