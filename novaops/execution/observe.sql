-- What the transaction has locked so far, where the rows are stored (rewriting gives a table a new file), and how
-- often it was read as a whole (pg_stat_xact_all_tables.seq_scan).
SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relfilenode, pg_stat_get_xact_numscans(c.oid), array_agg(l.mode)
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p', 'm')
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
GROUP BY c.oid, n.nspname
