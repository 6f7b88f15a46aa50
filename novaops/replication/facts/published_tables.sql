SELECT
    p.pubname::text AS publication,
    n.nspname::text AS schema,
    c.relname::text AS name,
    CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(
        SELECT a.attname::text
        FROM unnest(r.prattrs::int2[]) AS k (attnum)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k.attnum
        ORDER BY a.attnum
    ) END AS columns,
    pg_get_expr(r.prqual, r.prrelid) AS row_filter
FROM pg_catalog.pg_publication_rel r
JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY p.pubname, n.nspname, c.relname
