SELECT
    'pg_am'::regclass::oid AS classid,
    a.oid AS objid,
    0 AS objsubid,
    a.amtype::text AS type,
    a.amhandler::text AS handler
FROM pg_catalog.pg_am a
WHERE a.oid >= 16384
