-- The view hides the options from those who may not see them; only superusers read the catalog itself.
SELECT
    'pg_user_mapping'::regclass::oid AS classid,
    m.umid AS objid,
    0 AS objsubid,
    (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(m.umoptions) o) AS options,
    CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END AS _user,
    quote_ident(m.srvname) AS _server
FROM pg_catalog.pg_user_mappings m
