SELECT
    'pg_statistic_ext'::regclass::oid AS classid,
    s.oid AS objid,
    0 AS objsubid,
    s.stxowner AS owner,
    s.stxrelid::regclass::text AS relation,
    s.stxkind::text[] AS kinds,
    -- The definition has them in the order of their table, which is no difference.
    ARRAY(
        SELECT a.attname::text FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys) ORDER BY 1
    ) AS columns,
    pg_get_statisticsobjdef_expressions(s.oid) AS expressions,
    -- NULL is the default from version 17 on, -1 before.
    coalesce(s.stxstattarget, -1) AS target,
    pg_get_statisticsobjdef(s.oid) AS _definition
FROM pg_catalog.pg_statistic_ext s
JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
