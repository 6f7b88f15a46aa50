-- Which of the roles the session may become, to take back what they have granted: REVOKE takes away entries of one
-- grantor only, which is the owner for whoever has the owner's rights, superusers included (documentation, REVOKE, and
-- select_best_grantor() in src/backend/utils/adt/acl.c). The role has to find the object in its schema.
SELECT x.grantor, x.owner, x.schema
FROM unnest(%s::text[], %s::text[], %s::text[]) AS x (grantor, owner, schema)
JOIN pg_catalog.pg_roles g ON g.rolname = x.grantor
JOIN pg_catalog.pg_roles o ON o.rolname = x.owner
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = x.schema
WHERE pg_catalog.pg_has_role(g.oid, %s) AND NOT pg_catalog.pg_has_role(g.oid, o.oid, 'USAGE')
    AND (n.oid IS NULL OR pg_catalog.has_schema_privilege(g.oid, n.oid, 'USAGE'))
