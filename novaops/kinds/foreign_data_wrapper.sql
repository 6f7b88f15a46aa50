SELECT
    'pg_foreign_data_wrapper'::regclass::oid AS classid,
    f.oid AS objid,
    0 AS objsubid,
    f.fdwowner AS owner,
    f.fdwacl AS acl,
    CASE WHEN f.fdwhandler <> 0 THEN f.fdwhandler::regproc::text END AS handler,
    CASE WHEN f.fdwvalidator <> 0 THEN f.fdwvalidator::regproc::text END AS validator,
    (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(f.fdwoptions) o) AS options
FROM pg_catalog.pg_foreign_data_wrapper f
WHERE f.oid >= 16384
