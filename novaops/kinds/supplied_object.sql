-- What initdb or an extension made, where its privileges are no longer those it came with.
WITH objects AS (
    SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, 0 AS objsubid, p.pronamespace AS namespace,
        p.proowner AS owner, p.proacl AS acl, 'f'::"char" AS letter
    FROM pg_catalog.pg_proc p
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, 0, c.relnamespace, c.relowner, c.relacl, CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END
    FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, c.relnamespace, c.relowner, coalesce(a.attacl, '{}'), 'c'::"char"
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, t.typnamespace, t.typowner, t.typacl, 'T'::"char"
    FROM pg_catalog.pg_type t WHERE t.typelem = 0
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 0, n.oid, n.nspowner, n.nspacl, 'n'::"char"
    FROM pg_catalog.pg_namespace n
    UNION ALL
    SELECT 'pg_language'::regclass, l.oid, 0, 0, l.lanowner, l.lanacl, 'l'::"char"
    FROM pg_catalog.pg_language l
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 0, 0, w.fdwowner, w.fdwacl, 'F'::"char"
    FROM pg_catalog.pg_foreign_data_wrapper w
)
SELECT
    o.classid,
    o.objid,
    o.objsubid,
    CASE WHEN d.refobjid IS NOT NULL THEN ARRAY['pg_extension'::regclass::oid, d.refobjid, 0::oid] END AS parent,
    pg_get_userbyid(o.owner) AS owner_name,
    s.acl::text[] AS acl_items,
    s.initial::text[] AS acl_default,
    CASE WHEN o.objsubid > 0 THEN '(' || quote_ident(a.attname) || ')' ELSE '' END AS _columns,
    CASE o.classid
        WHEN 'pg_proc'::regclass THEN 'ROUTINE ' || o.objid::regprocedure::text
        WHEN 'pg_class'::regclass THEN
            CASE o.letter WHEN 's' THEN 'SEQUENCE ' ELSE 'TABLE ' END || o.objid::regclass::text
        WHEN 'pg_type'::regclass THEN 'TYPE ' || quote_ident(tn.nspname) || '.' || quote_ident(t.typname)
        WHEN 'pg_namespace'::regclass THEN 'SCHEMA ' || o.objid::regnamespace::text
        WHEN 'pg_language'::regclass THEN 'LANGUAGE ' || quote_ident(l.lanname)
        WHEN 'pg_foreign_data_wrapper'::regclass THEN 'FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)
    END AS _target
FROM objects o
LEFT JOIN pg_catalog.pg_depend d ON d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.objid AND i.objsubid = o.objsubid
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = o.objid AND a.attnum = o.objsubid AND o.objsubid > 0
LEFT JOIN pg_catalog.pg_type t ON t.oid = o.objid
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_language l ON l.oid = o.objid
LEFT JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = o.objid
CROSS JOIN LATERAL (SELECT
    coalesce(o.acl, acldefault(o.letter, o.owner)) AS acl,
    coalesce(i.initprivs, acldefault(o.letter, o.owner)) AS initial
) AS s
WHERE (o.acl IS NOT NULL OR i.initprivs IS NOT NULL)
  -- Of initdb's objects (oids below FirstNormalObjectId, src/include/access/transam.h) those whose privileges
  -- pg_init_privs knows and the reader may change. Schema public is everybody's (kinds/schema.sql).
  AND (d.refobjid IS NOT NULL OR o.objid < 16384
      AND o.namespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname IN ('information_schema', 'public'))
      AND pg_has_role(o.owner, 'USAGE'))
  AND NOT (s.acl @> s.initial AND s.acl <@ s.initial)
