SELECT
    'pg_statistic_ext'::regclass::oid AS classid,
    s.oid AS objid,
    0 AS objsubid,
    s.stxowner AS owner,
    pg_get_statisticsobjdef(s.oid) AS definition,
    -- NULL is the default from version 17 on, -1 before.
    coalesce(s.stxstattarget, -1) AS target
FROM pg_catalog.pg_statistic_ext s
JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
