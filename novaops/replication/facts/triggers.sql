WITH replicated AS (
    SELECT c.oid, t.schema AS root_schema, t.name AS root
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS t (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
),
relation AS (
    SELECT r.oid, r.root_schema, r.root, 0 AS level
    FROM replicated r
    UNION ALL
    SELECT p.relid, r.root_schema, r.root, p.level
    FROM replicated r, pg_partition_tree(r.oid) AS p
    WHERE p.level > 0
)
SELECT
    n.nspname::text AS schema,
    c.relname::text AS table,
    r.root_schema AS root_schema,
    r.root AS root,
    t.tgname::text AS name,
    CASE t.tgenabled WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' WHEN 'D' THEN 'disabled' ELSE 'origin' END AS mode,
    -- src/include/catalog/pg_trigger.h: TRIGGER_TYPE_ROW, _BEFORE, _INSERT, _DELETE, _UPDATE, _TRUNCATE.
    t.tgtype::int & 1 <> 0 AS row,
    t.tgtype::int & 2 <> 0 AS before,
    array_remove(ARRAY[
        CASE WHEN t.tgtype::int & 4 <> 0 THEN 'insert' END,
        CASE WHEN t.tgtype::int & 16 <> 0 THEN 'update' END,
        CASE WHEN t.tgtype::int & 8 <> 0 THEN 'delete' END,
        CASE WHEN t.tgtype::int & 32 <> 0 THEN 'truncate' END
    ], NULL) AS operations,
    format('%%I.%%I(%%s)', pn.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS function,
    l.lanname::text AS language,
    coalesce(p.prosrc, '') AS source,
    coalesce(p.proconfig, '{}') AS settings,
    coalesce(p.prosrc ~* '\m(pg_notify|notify)\M', false) AS notifies
FROM relation r
JOIN pg_catalog.pg_class c ON c.oid = r.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE NOT t.tgisinternal
ORDER BY r.root_schema, r.root, r.level, n.nspname, c.relname, t.tgname
