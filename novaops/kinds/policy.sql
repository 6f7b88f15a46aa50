SELECT
    'pg_policy'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_class'::regclass::oid, c.oid, 0::oid] AS parent,
    p.polpermissive AS permissive,
    p.polcmd::text AS command,
    CASE WHEN p.polroles = '{0}' THEN '{PUBLIC}'::text[] ELSE ARRAY(
        SELECT quote_ident(r.rolname) FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY r.rolname
    ) END AS roles,
    pg_get_expr(p.polqual, p.polrelid) AS using,
    pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
    quote_ident(p.polname) AS _name,
    c.oid::regclass::text AS _relation
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
