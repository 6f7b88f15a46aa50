-- Tables that the transaction has locked for writing (documentation, section 13.3.1): what an UPDATE of no
-- rows locks as well.
SELECT DISTINCT l.relation
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p')
  AND c.oid >= 16384
  AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
