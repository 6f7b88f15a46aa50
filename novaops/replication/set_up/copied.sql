-- Rows that the copying workers of a subscription have taken over so far.
SELECT coalesce(sum(p.tuples_processed), 0)::bigint
FROM pg_catalog.pg_stat_subscription w
JOIN pg_catalog.pg_stat_progress_copy p ON p.pid = w.pid
WHERE w.subid = %(oid)s AND w.relid IS NOT NULL
