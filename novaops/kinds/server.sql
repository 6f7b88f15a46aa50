SELECT
    'pg_foreign_server'::regclass::oid AS classid,
    s.oid AS objid,
    0 AS objsubid,
    s.srvowner AS owner,
    s.srvacl AS acl,
    quote_ident(f.fdwname) AS foreign_data_wrapper,
    s.srvtype AS type,
    s.srvversion AS version,
    (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(s.srvoptions) o) AS options
FROM pg_catalog.pg_foreign_server s
JOIN pg_catalog.pg_foreign_data_wrapper f ON f.oid = s.srvfdw
WHERE s.oid >= 16384
