-- What the session waits for, and the oldest transaction of those that it waits for.
-- A prepared transaction has no session: pg_blocking_pids() returns 0 for it.
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS relation, p.pid, a.usename AS user_name, a.state,
    clock_timestamp() - a.state_change AS age, a.query
FROM pg_catalog.pg_stat_activity s
CROSS JOIN LATERAL unnest(CASE WHEN s.wait_event_type = 'Lock' THEN pg_blocking_pids(s.pid) END) AS p (pid)
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
LEFT JOIN pg_catalog.pg_locks w ON w.pid = s.pid AND NOT w.granted
LEFT JOIN pg_catalog.pg_class c ON c.oid = w.relation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE s.pid = %(pid)s
ORDER BY a.xact_start
LIMIT 1
