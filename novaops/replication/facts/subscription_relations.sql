SELECT
    r.srsubid::bigint AS subscription,
    c.oid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    r.srsubstate::text AS state
FROM pg_catalog.pg_subscription_rel r
JOIN pg_catalog.pg_class c ON c.oid = r.srrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY r.srsubid, n.nspname, c.relname
