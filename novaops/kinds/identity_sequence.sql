SELECT
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_class'::regclass::oid, d.refobjid, d.refobjsubid::int::oid] AS parent,
    c.relowner AS owner,
    c.relacl AS acl,
    c.oid::regclass::text AS _sequence
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
WHERE c.relkind = 'S'
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
