SELECT
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.relowner AS owner,
    c.relacl AS acl,
    c.relpersistence::text AS persistence,
    c.reloptions AS options,
    t.reloptions AS toast_options,
    quote_ident(s.spcname) AS tablespace,
    -- A partitioned table has one only when it was named (PostgreSQL 17): its partitions take it.
    CASE WHEN c.relkind = 'p' OR am.amname <> 'heap' THEN quote_ident(am.amname) END AS access_method,
    c.relrowsecurity AS row_security,
    c.relforcerowsecurity AS force_row_security,
    -- With index "i" the index carries the mark (pg_index.indisreplident).
    c.relreplident::text AS replica_identity,
    CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type,
    CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
    CASE WHEN c.relispartition THEN i.parents[1] END AS partition_of,
    CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
    c.relispartition AND i.pending AS detach_pending,
    CASE WHEN c.relispartition OR i.parents IS NULL THEN '{}' ELSE i.parents END AS parents,
    nn.names AS inherited_names,
    -- Keeps a lock on each: where others work, or there are many, it is not worth that. What still names an oid,
    -- that of a table further up that is partitioned by hash, holds in this database only.
    CASE WHEN c.relispartition AND current_setting('novaops.alone', true) = 'on' AND many.partitions <= 1000 THEN (
        SELECT CASE WHEN position('::oid' IN k.text) = 0 THEN k.text END
        FROM replace(pg_get_partition_constraintdef(c.oid), quote_literal(i.parent) || '::oid',
            quote_literal(i.parents[1]) || '::regclass') AS k (text)
    ) END AS _partition_constraint,
    c.relkind = 'p' AS _partitioned,
    c.reltuples::bigint AS _rows
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (
    SELECT h.inhrelid, min(h.inhparent) AS parent,
        array_agg(h.inhparent::regclass::text ORDER BY h.inhseqno) AS parents,
        bool_or(h.inhdetachpending) AS pending
    FROM pg_catalog.pg_inherits h GROUP BY h.inhrelid
) AS i ON i.inhrelid = c.oid
LEFT JOIN (
    -- A partition is dumped with the names that its NOT NULLs have (PostgreSQL 18), inherited or not.
    SELECT k.conrelid, json_object_agg(a.attname, quote_ident(k.conname)) AS names
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE k.contype = 'n' AND k.coninhcount > 0
    GROUP BY k.conrelid
) AS nn ON nn.conrelid = c.oid AND c.relispartition
CROSS JOIN (SELECT count(*) AS partitions FROM pg_catalog.pg_class WHERE relispartition) AS many
LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('r', 'p')
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
