-- The tables of these names, whatever their schemas.
SELECT c.oid FROM pg_catalog.pg_class c
WHERE c.relname = ANY (%s) AND c.relkind IN ('r', 'p') AND c.oid >= 16384
