-- Of the given routines those whose bodies are text, with what it takes to check them. Members of extensions
-- are left out.
SELECT
    p.oid,
    i.identity,
    CASE p.prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END || p.oid::regprocedure::text AS name,
    n.nspname AS schema,
    format('%%I.%%I', vn.nspname, v.proname) AS validator,
    p.prosrc AS source,
    coalesce(p.proconfig, '{}') AS config,
    -- What works with the types of the call, whichever they are, can only be compiled.
    l.lanname = 'plpgsql' AND NOT p.prorettype || coalesce(p.proallargtypes, p.proargtypes::oid[]) && ARRAY(
        SELECT oid FROM pg_catalog.pg_type
        WHERE typtype = 'p' AND typname NOT IN ('void', 'record', 'trigger', 'event_trigger')
    ) AS planned,
    p.prorettype = 'trigger'::regtype AS for_triggers,
    coalesce(t.triggers, '[]') AS triggers
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
JOIN pg_catalog.pg_proc v ON v.oid = l.lanvalidator
JOIN pg_catalog.pg_namespace vn ON vn.oid = v.pronamespace
LEFT JOIN (
    SELECT tgfoid, jsonb_agg(DISTINCT jsonb_build_array(tgrelid::text, tgoldtable, tgnewtable)) AS triggers
    FROM pg_catalog.pg_trigger
    WHERE NOT tgisinternal AND tgparentid = 0
    GROUP BY tgfoid
) AS t ON t.tgfoid = p.oid,
LATERAL pg_catalog.pg_identify_object('pg_proc'::regclass, p.oid, 0) AS i
WHERE p.oid = ANY (%s)
  AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL AND n.nspname !~ '^pg_'
  AND p.oid NOT IN (
      SELECT objid FROM pg_catalog.pg_depend WHERE classid = 'pg_proc'::regclass AND deptype = 'e'
  )
ORDER BY n.nspname, p.oid
