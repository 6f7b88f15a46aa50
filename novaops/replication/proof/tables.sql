-- How far the copy of each table is (pg_subscription_rel.srsubstate: i, d, f, s, r), and who copies it.
SELECT n.nspname, c.relname, r.srsubstate, w.pid
FROM pg_catalog.pg_subscription_rel r
JOIN pg_catalog.pg_class c ON c.oid = r.srrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_subscription w ON w.subid = r.srsubid AND w.relid = r.srrelid
WHERE r.srsubid = %(oid)s
ORDER BY 1, 2
