SELECT
    'pg_collation'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.collowner AS owner,
    c.collprovider::text AS provider,
    c.collcollate AS collate,
    c.collctype AS ctype,
    coalesce(c.colllocale /*if pg_collation: text*/, c.colliculocale /*if pg_collation: text*/) AS locale,
    c.collisdeterministic AS deterministic,
    c.collicurules /*if pg_collation: text*/ AS rules
FROM pg_catalog.pg_collation c
JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND c.collencoding IN (-1, (SELECT encoding FROM pg_catalog.pg_database WHERE datname = current_database()))
