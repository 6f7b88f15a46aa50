-- Who else than the owner may write to tables and to their partitions: entries of pg_class.relacl and pg_attribute.attacl.
-- The owner of a partitioned table keeps what he has been given on partitions: a worker routes rows as him.
WITH replicated AS (
    SELECT c.oid, c.relowner
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS t (schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
),
relation AS (
    SELECT r.oid, r.relowner AS root_owner FROM replicated r
    UNION
    SELECT p.relid, r.relowner FROM replicated r, pg_partition_tree(r.oid) AS p WHERE p.level > 0
),
list AS (
    SELECT r.oid, r.root_owner, NULL::text AS column, c.relacl AS acl
    FROM relation r JOIN pg_catalog.pg_class c ON c.oid = r.oid
    UNION ALL
    SELECT r.oid, r.root_owner, a.attname::text, a.attacl
    FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT n.nspname::text AS schema, c.relname::text AS table, l.column, e.privilege_type AS privilege,
       coalesce(to_.rolname, '')::text AS grantee,
       CASE WHEN e.grantor <> c.relowner THEN from_.rolname ELSE '' END::text AS grantor,
       e.is_grantable AS grantable
FROM list l
JOIN pg_catalog.pg_class c ON c.oid = l.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(l.acl) AS e
LEFT JOIN pg_catalog.pg_roles to_ ON to_.oid = e.grantee
LEFT JOIN pg_catalog.pg_roles from_ ON from_.oid = e.grantor
WHERE e.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
  AND e.grantee NOT IN (c.relowner, l.root_owner)
  AND coalesce(to_.rolname, '') <> ALL (%(keeping)s::text[])
ORDER BY 1, 2, l.column NULLS FIRST, 4, 5, 6
