WITH objects AS (
    SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, 0 AS objsubid, p.proowner AS owner, p.proacl AS acl,
        'f'::"char" AS letter, '' AS columns, 'ROUTINE ' || p.oid::regprocedure::text AS target
    FROM pg_catalog.pg_proc p
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, 0, c.relowner, c.relacl,
        CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, '',
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass::text
    FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, c.relowner, coalesce(a.attacl, '{}'),
        'c'::"char", '(' || quote_ident(a.attname) || ')', 'TABLE ' || c.oid::regclass::text
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, t.typowner, t.typacl, 'T'::"char", '', 'TYPE ' || format_type(t.oid, NULL)
    FROM pg_catalog.pg_type t WHERE t.typelem = 0
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 0, n.nspowner, n.nspacl, 'n'::"char", '', 'SCHEMA ' || quote_ident(n.nspname)
    FROM pg_catalog.pg_namespace n
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 0, l.lanowner, l.lanacl, 'l'::"char", '', 'LANGUAGE ' || quote_ident(l.lanname)
    FROM pg_catalog.pg_language l
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 0, w.fdwowner, w.fdwacl, 'F'::"char", '',
        'FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)
    FROM pg_catalog.pg_foreign_data_wrapper w
)
SELECT
    o.classid,
    o.objid,
    o.objsubid,
    ARRAY['pg_extension'::regclass::oid, d.refobjid, 0::oid] AS parent,
    pg_get_userbyid(o.owner) AS owner_name,
    s.acl::text[] AS acl_items,
    s.initial::text[] AS acl_default,
    o.columns AS _columns,
    o.target AS _target
FROM objects o
JOIN pg_catalog.pg_depend d ON d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.objid AND i.objsubid = o.objsubid
CROSS JOIN LATERAL (SELECT
    coalesce(o.acl, acldefault(o.letter, o.owner)) AS acl,
    coalesce(i.initprivs, acldefault(o.letter, o.owner)) AS initial
) AS s
WHERE s.acl <> s.initial
