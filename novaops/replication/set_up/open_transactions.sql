-- The sessions that a session waits for, with how long their transactions have been open.
SELECT a.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, ''), coalesce(a.datname, '')::text,
       coalesce(a.state, ''), extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start))::float8
FROM unnest(pg_blocking_pids(%(pid)s)) AS b (pid)
JOIN pg_catalog.pg_stat_activity a USING (pid)
ORDER BY a.xact_start
