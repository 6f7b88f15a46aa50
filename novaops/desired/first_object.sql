-- An object of the database that neither initdb nor an extension put there, in words; no row where there is none.
-- An extension has its members (pg_depend.deptype e), what belongs to these (an index, a row type) and its schema.
-- Oids below 16384 are initdb's (src/include/access/transam.h, FirstNormalObjectId).
WITH RECURSIVE of_extensions (classid, objid) AS (
    SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, oid FROM pg_catalog.pg_extension
    UNION SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, extnamespace FROM pg_catalog.pg_extension
    UNION
    SELECT d.classid, d.objid FROM of_extensions e
    JOIN pg_catalog.pg_depend d ON d.refclassid = e.classid AND d.refobjid = e.objid AND d.deptype IN ('e', 'i', 'a')
), objects (classid, objid) AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, oid FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_(toast|temp)'
    UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid FROM pg_catalog.pg_proc
    UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, oid FROM pg_catalog.pg_publication
    UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, oid
    FROM pg_catalog.pg_foreign_data_wrapper
)
SELECT d.type || ' ' || d.identity
FROM objects o, LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) AS d
WHERE o.objid >= 16384
    AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = o.classid AND e.objid = o.objid)
ORDER BY 1 LIMIT 1
