-- What the transaction has locked so far, where the rows are stored (rewriting gives a table a new file), and how
-- often it was read as a whole (pg_stat_xact_all_tables.seq_scan). What was dropped has a lock and no row any more.
SELECT l.relation, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relfilenode,
    pg_stat_get_xact_numscans(c.oid), array_agg(l.mode)
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND l.granted
GROUP BY l.relation, c.oid, n.nspname
