SELECT
    c.oid::bigint AS oid,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    c.relpersistence::text AS persistence,
    c.relreplident::text AS identity,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisvalid
          AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
        ORDER BY a.attnum
    ) AS identity_columns,
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary
        ORDER BY k.place
    ) AS primary_key,
    row_security_active(c.oid) AS row_security,
    c.relrowsecurity AS has_policies,
    has_table_privilege(c.oid, 'SELECT') OR NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')
    ) AS readable,
    pg_has_role(c.relowner, 'USAGE') AS owned,
    leaf.names AS leaves,
    leaf.without_identity AS leaves_without_identity
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS t (schema, name, place)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(format('%%I.%%I', ln.nspname, lc.relname) ORDER BY ln.nspname, lc.relname), '{}') AS names,
        coalesce(
            array_agg(format('%%I.%%I', ln.nspname, lc.relname) ORDER BY ln.nspname, lc.relname)
                FILTER (WHERE lc.relreplident <> 'f' AND NOT EXISTS (
                    SELECT
                    FROM pg_catalog.pg_index i
                    WHERE i.indrelid = lc.oid AND i.indisvalid
                      AND CASE lc.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END
                )),
            '{}'
        ) AS without_identity
    -- Nothing for a table that has no partitions.
    FROM (
        SELECT c.oid AS relid WHERE c.relkind <> 'p'
        UNION ALL
        SELECT p.relid FROM pg_partition_tree(c.oid) AS p WHERE c.relkind = 'p' AND p.isleaf
    ) AS l
    JOIN pg_catalog.pg_class lc ON lc.oid = l.relid
    JOIN pg_catalog.pg_namespace ln ON ln.oid = lc.relnamespace
) AS leaf
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY t.place
