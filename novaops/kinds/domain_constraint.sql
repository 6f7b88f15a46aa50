SELECT
    'pg_constraint'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_type'::regclass::oid, c.contypid, 0::oid] AS parent,
    CASE WHEN c.contype = 'c' THEN pg_get_expr(c.conbin, 0) END AS expression,
    c.convalidated AS validated,
    quote_ident(c.conname) AS _name,
    format_type(c.contypid, NULL) AS _domain
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE c.contypid <> 0 AND c.contype IN ('c', 'n')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
