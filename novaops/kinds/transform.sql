SELECT
    'pg_transform'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::regprocedure::text END AS from_sql,
    CASE WHEN t.trftosql <> 0 THEN t.trftosql::regprocedure::text END AS to_sql,
    format_type(t.trftype, NULL) AS _type,
    quote_ident(l.lanname) AS _language
FROM pg_catalog.pg_transform t
JOIN pg_catalog.pg_language l ON l.oid = t.trflang
WHERE t.oid >= 16384
