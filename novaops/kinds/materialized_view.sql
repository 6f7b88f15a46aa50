SELECT
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.relowner AS owner,
    c.relacl AS acl,
    rtrim(pg_get_viewdef(c.oid), ';') AS definition,
    c.reloptions AS options,
    t.reloptions AS toast_options,
    -- With index "i" the index carries the mark (pg_index.indisreplident).
    c.relreplident::text AS replica_identity,
    quote_ident(s.spcname) AS tablespace,
    CASE WHEN am.amname <> 'heap' THEN quote_ident(am.amname) END AS access_method,
    -- A fact, not a wish: every pg_dump -s says WITH NO DATA, which must not empty a view in use.
    c.relispopulated AS _populated
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind = 'm'
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
