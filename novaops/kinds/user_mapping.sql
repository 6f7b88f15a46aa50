-- The view hides the options from those who may not see them; only superusers read the catalog itself.
SELECT
    'pg_user_mapping'::regclass::oid AS classid,
    m.umid AS objid,
    0 AS objsubid,
    (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(m.umoptions) o) AS options,
    CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END AS _user,
    quote_ident(m.srvname) AS _server,
    -- The condition of the view itself (src/backend/catalog/system_views.sql).
    NOT (
        r.rolsuper
        OR m.umuser = r.oid AND has_server_privilege(m.srvid, 'USAGE')
        OR m.umuser IN (0, r.oid) AND pg_has_role(s.srvowner, 'USAGE')
    ) AS _hidden
FROM pg_catalog.pg_user_mappings m
JOIN pg_catalog.pg_foreign_server s ON s.oid = m.srvid
JOIN pg_catalog.pg_roles r ON r.rolname = current_user
