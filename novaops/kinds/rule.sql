SELECT
    'pg_rewrite'::regclass::oid AS classid,
    r.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_class'::regclass::oid, c.oid, 0::oid] AS parent,
    rtrim(pg_get_ruledef(r.oid), ';') AS definition,
    r.ev_enabled::text AS enabled,
    quote_ident(r.rulename) AS _name,
    c.oid::regclass::text AS _relation
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN'
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
