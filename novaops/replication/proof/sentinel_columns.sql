-- What a row of the table needs: of each column that can be written the type, whether it has a value by itself, whether
-- it must be unique. A domain is looked through to its base type, which only the category needs.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typcategory::text, t.typname::text,
       a.attnotnull, a.atthasdef OR a.attidentity <> '',
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique
               AND a.attnum = ANY (i.indkey::int2[])),
       (SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder LIMIT 1),
       (SELECT x.typcategory::text FROM pg_catalog.pg_type x WHERE x.oid = t.typelem)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
