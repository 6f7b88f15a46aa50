-- What a role may do with tables; nothing when there is no such role.
SELECT
    c.oid::bigint AS oid,
    has_table_privilege(r.oid, c.oid, 'SELECT') OR NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND NOT has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
    ) AS readable,
    -- The owner is exempt, unless it is forced; so are superusers and BYPASSRLS.
    c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
        AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE')) AS hidden_rows,
    has_schema_privilege(r.oid, c.relnamespace, 'USAGE') AS schema_usage
FROM pg_catalog.pg_class c
CROSS JOIN pg_catalog.pg_roles r
WHERE c.oid = ANY (%(tables)s::oid[]) AND r.rolname = %(role)s
