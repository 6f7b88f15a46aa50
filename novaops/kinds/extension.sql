-- plpgsql comes with every database.
SELECT
    'pg_extension'::regclass::oid AS classid,
    e.oid AS objid,
    0 AS objsubid,
    quote_ident(n.nspname) AS schema,
    e.extrelocatable AS _relocatable,
    e.extversion AS _version
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
