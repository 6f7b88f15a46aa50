-- Tables in which other tools keep what they have run: they have a column "version".
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'version' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relname = ANY (%s) AND n.nspname !~ '^pg_' AND n.nspname <> 'novaops'
ORDER BY 1
