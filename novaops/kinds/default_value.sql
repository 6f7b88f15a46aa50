SELECT
    'pg_attrdef'::regclass::oid AS classid,
    d.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_class'::regclass::oid, d.adrelid, d.adnum::int::oid] AS parent,
    pg_get_expr(d.adbin, d.adrelid) AS expression,
    -- The functions of an expression stand in its tree alone: pg_depend leaves out those of the system.
    EXISTS (
        SELECT FROM regexp_matches(d.adbin::text, ':(?:op)?funcid (\d+)', 'g') AS called (oid)
        JOIN pg_catalog.pg_proc p ON p.oid = called.oid[1]::oid AND p.provolatile = 'v'
    ) AS _volatile,
    d.adrelid::regclass::text AS _relation,
    quote_ident(a.attname) AS _column
FROM pg_catalog.pg_attrdef d
-- A generation expression is part of its column.
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = ''
JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
