SELECT
    'pg_ts_parser'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid,
    p.prsstart::text AS start,
    p.prstoken::text AS gettoken,
    p.prsend::text AS end,
    nullif(p.prsheadline::text, '-') AS headline,
    p.prslextype::text AS lextypes
FROM pg_catalog.pg_ts_parser p
JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
