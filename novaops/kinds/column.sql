WITH casts AS (
    -- One text per source type: as an array it would cost more to read than all other columns together.
    SELECT castsource, string_agg(format_type(casttarget, NULL), E'\n') AS targets,
        string_agg(format_type(casttarget, NULL), E'\n') FILTER (WHERE castmethod = 'b') AS binary_coercible
    FROM pg_catalog.pg_cast GROUP BY castsource
), comparable AS (
    -- Types with an operator class that gives them an equality (lookup_type_cache() in src/backend/utils/cache/typcache.c).
    SELECT DISTINCT o.opcintype FROM pg_catalog.pg_opclass o
    JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname IN ('btree', 'hash')
    WHERE o.opcdefault
), inherited AS (
    SELECT DISTINCT ON (i.inhrelid, a.attname) i.inhrelid, a.attname, p.relkind = 'f' AS from_foreign,
        ARRAY[n.nspname, p.relname, a.attname]::text[] AS names
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind IN ('r', 'p', 'f')
    JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY i.inhrelid, a.attname, i.inhseqno
), identity AS (
    -- Limits and start are NULL where they are the type's own: those follow a change of the column's type.
    SELECT d.refobjid AS attrelid, d.refobjsubid AS attnum, c.relname, c.relpersistence,
        s.seqrelid, s.seqstart,
        jsonb_strip_nulls(jsonb_build_object(
            'increment', nullif(s.seqincrement, 1),
            'minvalue', nullif(s.seqmin, CASE WHEN s.seqincrement > 0 THEN 1 ELSE l.lowest END),
            'maxvalue', nullif(s.seqmax, CASE WHEN s.seqincrement > 0 THEN l.highest ELSE -1 END),
            'start', nullif(s.seqstart, CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END),
            'cache', nullif(s.seqcache, 1),
            'cycle', nullif(s.seqcycle, false)
        )) AS options
    FROM pg_catalog.pg_sequence s
    JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
        AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
    JOIN (VALUES
        ('int2'::regtype, -32768::bigint, 32767::bigint),
        ('int4'::regtype, -2147483648, 2147483647),
        ('int8'::regtype, -9223372036854775808, 9223372036854775807)
    ) AS l (type, lowest, highest) ON l.type = s.seqtypid
)
SELECT
    'pg_class'::regclass::oid AS classid,
    a.attrelid AS objid,
    a.attnum::int AS objsubid,
    ARRAY['pg_class'::regclass::oid, a.attrelid, 0::oid] AS parent,
    c.relowner AS owner,
    a.attacl AS acl,
    -- The columns of a view are what its query makes them: only what is set on them by itself is compared.
    CASE WHEN own.columns THEN format_type(a.atttypid, a.atttypmod) END AS type,
    CASE WHEN own.columns AND a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS collation,
    -- From PostgreSQL 18 an own NOT NULL is a constraint, an inherited one still only this.
    a.attnotnull AND (nn.oid IS NULL OR nn.coninhcount > 0) AS not_null,
    -- By which name the child of a table has it for itself besides; ATTACH PARTITION leaves no such thing.
    CASE WHEN nn.coninhcount > 0 AND NOT c.relispartition
        THEN CASE WHEN nn.conislocal THEN quote_ident(nn.conname) ELSE '' END END AS not_null_besides,
    CASE WHEN nn.coninhcount > 0 THEN obj_description(nn.oid, 'pg_constraint') END AS not_null_comment,
    CASE WHEN a.attinhcount > 0 AND NOT c.relispartition AND c.relkind = 'r' THEN a.attislocal END AS declared,
    a.attidentity::text AS identity_generation,
    -- Partitions have none: they draw from the sequence of their root (PostgreSQL 17).
    id.options AS identity_options,
    id.relname::text AS identity_sequence,
    nullif(id.relpersistence, c.relpersistence)::text AS identity_persistence,
    a.attgenerated::text AS generated,
    CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS generation_expression,
    nullif(a.attstorage, t.typstorage)::text AS storage,
    nullif(a.attcompression, '')::text AS compression,
    -- -1 until PostgreSQL 16, NULL from 17.
    nullif(a.attstattarget, -1)::int AS statistics,
    -- pg_attver is bookkeeping of some servers, another number in every database.
    CASE WHEN a.attoptions IS NOT NULL THEN (
        SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(a.attoptions) o
        WHERE o.option_name <> 'pg_attver'
    ) END AS options,
    CASE WHEN a.attfdwoptions IS NOT NULL THEN (
        SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(a.attfdwoptions) o
    ) END AS fdw_options,
    a.attnum::int AS _position,
    a.attrelid::regclass::text AS _relation,
    c.relname::text AS _relation_name,
    quote_ident(a.attname) AS _quoted,
    c.relkind IN ('v', 'm') AS _view,
    c.relkind = 'f' AS _foreign,
    c.relispartition AS _partition,
    c.reloftype <> 0 AS _typed,
    quote_ident(nn.conname) AS _not_null_name,
    coalesce(nn.conislocal, false) AS _not_null_local,
    a.attislocal AS _local,
    CASE WHEN a.attinhcount > 0 THEN i.names END AS _inherited_from,
    coalesce(i.from_foreign, false) AS _from_foreign,
    id.seqrelid::regclass::text AS _identity_identity,
    id.seqstart AS _identity_start,
    t.typstorage::text AS _type_storage,
    c.relpersistence::text AS _persistence,
    format_type(base.oid, NULL) AS _base_type,
    base.typcategory::text AS _type_category,
    coalesce(nullif(a.atttypmod, -1), nullif(t.typtypmod, -1)) AS _type_modifier,
    t.typtype::text AS _type_type,
    base.typtype IN ('e', 'r', 'm') OR q.opcintype IS NOT NULL AS _has_equality,
    k.targets AS _casts,
    CASE WHEN base.typcategory <> 'A' THEN k.binary_coercible END AS _same_bytes
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
CROSS JOIN LATERAL (SELECT c.relkind IN ('r', 'p', 'f') AS columns) AS own
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type base ON base.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
-- An array is cast element by element.
LEFT JOIN casts k ON k.castsource = CASE WHEN base.typcategory = 'A' THEN base.typelem ELSE base.oid END
LEFT JOIN comparable q ON q.opcintype = CASE WHEN base.typcategory = 'A' THEN base.typelem ELSE base.oid END
LEFT JOIN inherited i ON i.inhrelid = a.attrelid AND i.attname = a.attname
LEFT JOIN identity id ON id.attrelid = a.attrelid AND id.attnum = a.attnum
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated <> ''
LEFT JOIN pg_catalog.pg_constraint nn ON nn.conrelid = a.attrelid AND nn.contype = 'n' AND nn.conkey[1] = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY a.attrelid, a.attnum
