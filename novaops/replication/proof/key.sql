-- The columns of a table that are replicated by default, and which of them identify a row: those of its replica
-- identity index, or else of its primary key (pg_index.indisreplident, indisprimary).
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', a.attidentity = 'a',
       (SELECT k.position FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
        WHERE k.attnum = a.attnum AND k.position <= i.indnkeyatts)::int
FROM pg_catalog.pg_attribute a
LEFT JOIN LATERAL (
    SELECT x.indkey, x.indnkeyatts FROM pg_catalog.pg_index x
    WHERE x.indrelid = a.attrelid AND x.indisvalid AND (x.indisreplident OR x.indisprimary)
    ORDER BY x.indisreplident DESC LIMIT 1
) i ON true
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
