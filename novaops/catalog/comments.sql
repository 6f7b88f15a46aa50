SELECT classoid, objoid, objsubid, description
FROM pg_catalog.pg_description
WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass
