SELECT
    'pg_default_acl'::regclass::oid AS classid,
    d.oid AS objid,
    0 AS objsubid,
    CASE WHEN d.defaclnamespace <> 0 THEN ARRAY['pg_namespace'::regclass::oid, d.defaclnamespace, 0::oid] END AS parent,
    ARRAY(SELECT a::text FROM unnest(d.defaclacl) a ORDER BY a::text COLLATE "C") AS privileges,
    -- What the row is a deviation from: for one schema, additions to the entry for all schemas; for all
    -- schemas, the built-in default (section "Notes" of ALTER DEFAULT PRIVILEGES). A row equal to it vanishes.
    CASE WHEN d.defaclnamespace <> 0 THEN '{}'::text[] ELSE
        acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)::text[]
    END AS _baseline,
    d.defaclobjtype::text AS _objtype,
    quote_ident(pg_get_userbyid(d.defaclrole)) AS _role,
    quote_ident(n.nspname) AS _schema
FROM pg_catalog.pg_default_acl d
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
