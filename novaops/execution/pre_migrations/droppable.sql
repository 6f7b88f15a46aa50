-- Objects of these names that DROP takes, with the schema that they are in, NULL for what is in none. `visible` tells
-- whether the name alone is enough (documentation, section 9.27.3, "Schema Visibility Inquiry Functions").
SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind, n.nspname AS schema, c.relname AS name,
       pg_catalog.pg_table_is_visible(c.oid) AS visible
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S', 'v', 'm') AND c.relname = ANY (%(names)s)
UNION ALL
SELECT 'TYPE', n.nspname, t.typname, pg_catalog.pg_type_is_visible(t.oid)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typname = ANY (%(names)s)
UNION ALL
SELECT DISTINCT 'FUNCTION', n.nspname, p.proname, bool_or(pg_catalog.pg_function_is_visible(p.oid)) OVER (PARTITION BY n.nspname)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = ANY (%(names)s)
UNION ALL
SELECT 'SCHEMA', NULL, nspname, true FROM pg_catalog.pg_namespace WHERE nspname = ANY (%(names)s)
UNION ALL
SELECT 'EXTENSION', NULL, extname, true FROM pg_catalog.pg_extension WHERE extname = ANY (%(names)s)
ORDER BY 1, 2, 3
