-- Extensions of the database that have a type, operator class, function or relation of a name among their members
-- (pg_depend.deptype e), with their schema; then one that is called so and that the server could create, without.
SELECT e.extname::text, n.nspname::text
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
JOIN pg_catalog.pg_depend d
    ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid AND d.deptype = 'e'
WHERE EXISTS (
        SELECT FROM pg_catalog.pg_type t
        WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.objid AND t.typname = %(name)s
    ) OR EXISTS (
        SELECT FROM pg_catalog.pg_opclass o
        WHERE d.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND o.oid = d.objid AND o.opcname = %(name)s
    ) OR EXISTS (
        SELECT FROM pg_catalog.pg_proc p
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.objid AND p.proname = %(name)s
    ) OR EXISTS (
        SELECT FROM pg_catalog.pg_class c
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid AND c.relname = %(name)s
    )
UNION ALL
SELECT a.name::text, NULL FROM pg_catalog.pg_available_extensions a WHERE a.name = %(name)s
ORDER BY 2 NULLS LAST, 1
LIMIT 1
