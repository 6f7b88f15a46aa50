SELECT
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.relowner AS owner,
    c.relacl AS acl,
    rtrim(pg_get_viewdef(c.oid), ';') AS definition,
    c.reloptions AS options,
    ARRAY(
        SELECT ARRAY[
            a.attname::text,
            format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text END
        ]
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum
    ) AS columns
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v'
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
