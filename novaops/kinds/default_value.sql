SELECT
    'pg_attrdef'::regclass::oid AS classid,
    d.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_class'::regclass::oid, d.adrelid, d.adnum::int::oid] AS parent,
    pg_get_expr(d.adbin, d.adrelid) AS expression,
    d.adrelid::regclass::text AS _relation,
    quote_ident(a.attname) AS _column,
    c.relispartition AS _partition,
    a.attislocal AS _local,
    CASE WHEN a.attinhcount > 0 THEN i.names END AS _inherited_from
FROM pg_catalog.pg_attrdef d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = ''
JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (
    SELECT DISTINCT ON (i.inhrelid, pa.attname) i.inhrelid, pa.attname,
        ARRAY[pn.nspname, p.relname, pa.attname]::text[] AS names
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
    JOIN pg_catalog.pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum > 0 AND NOT pa.attisdropped
    ORDER BY i.inhrelid, pa.attname, i.inhseqno
) AS i ON i.inhrelid = d.adrelid AND i.attname = a.attname
WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
