SELECT
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.relowner AS owner,
    c.relacl AS acl,
    format_type(s.seqtypid, NULL) AS data_type,
    -- Limits and start are NULL where they are the type's own: those follow a change of the type.
    jsonb_strip_nulls(jsonb_build_object(
        'increment', nullif(s.seqincrement, 1),
        'minvalue', nullif(s.seqmin, CASE WHEN s.seqincrement > 0 THEN 1 ELSE l.lowest END),
        'maxvalue', nullif(s.seqmax, CASE WHEN s.seqincrement > 0 THEN l.highest ELSE -1 END),
        'start', nullif(s.seqstart, CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END),
        'cache', nullif(s.seqcache, 1),
        'cycle', nullif(s.seqcycle, false)
    )) AS options,
    c.relpersistence::text AS persistence,
    o.owned_by,
    s.seqstart AS _start,
    o.names AS _owner_names
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN (VALUES
    ('int2'::regtype, -32768::bigint, 32767::bigint),
    ('int4'::regtype, -2147483648, 2147483647),
    ('int8'::regtype, -9223372036854775808, 9223372036854775807)
) AS l (type, lowest, highest) ON l.type = s.seqtypid
LEFT JOIN pg_catalog.pg_depend i ON i.classid = 'pg_class'::regclass AND i.objid = c.oid AND i.deptype = 'i'
    AND i.refclassid = 'pg_class'::regclass
LEFT JOIN (
    SELECT d.objid, d.refobjid::regclass::text || '.' || quote_ident(a.attname) AS owned_by,
        ARRAY[tn.nspname, t.relname, a.attname]::text[] AS names
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
) AS o ON o.objid = c.oid
WHERE i.objid IS NULL
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
