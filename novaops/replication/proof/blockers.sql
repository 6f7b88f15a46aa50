-- Who keeps the workers of the subscription waiting for a lock, on what, and for how long their transaction has run.
SELECT w.pid AS worker, b.pid, coalesce(b.usename, ''), coalesce(b.application_name, ''), coalesce(b.state, ''),
       extract(epoch FROM clock_timestamp() - coalesce(b.xact_start, b.backend_start))::float8,
       coalesce(l.relation::regclass::text, l.locktype, '')
FROM pg_catalog.pg_stat_subscription w
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS blocking (pid)
LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = blocking.pid
LEFT JOIN pg_catalog.pg_locks l ON l.pid = w.pid AND NOT l.granted
WHERE w.subid = %(oid)s AND w.pid IS NOT NULL AND b.pid IS NOT NULL
