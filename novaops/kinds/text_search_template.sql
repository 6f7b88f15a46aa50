SELECT
    'pg_ts_template'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    nullif(t.tmplinit::text, '-') AS init,
    t.tmpllexize::text AS lexize
FROM pg_catalog.pg_ts_template t
JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
