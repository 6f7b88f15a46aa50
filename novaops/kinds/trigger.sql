SELECT
    'pg_trigger'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_class'::regclass::oid, c.oid, 0::oid] AS parent,
    -- A partition's clone has only a mode of its own.
    CASE WHEN t.tgparentid = 0 THEN pg_get_triggerdef(t.oid) END AS definition,
    t.tgenabled::text AS enabled,
    t.tgparentid <> 0 AS _clone,
    p.tgenabled::text AS _cloned_mode,
    t.tgconstraint <> 0 AS _constraint,
    quote_ident(t.tgname) AS _name,
    c.oid::regclass::text AS _relation
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_trigger p ON p.oid = t.tgparentid
WHERE NOT t.tgisinternal
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
