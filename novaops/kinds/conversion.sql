SELECT
    'pg_conversion'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.conowner AS owner,
    pg_encoding_to_char(c.conforencoding)::text AS source_encoding,
    pg_encoding_to_char(c.contoencoding)::text AS target_encoding,
    c.conproc::text AS function,
    c.condefault AS default
FROM pg_catalog.pg_conversion c
JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
