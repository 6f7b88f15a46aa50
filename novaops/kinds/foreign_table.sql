SELECT
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.relowner AS owner,
    c.relacl AS acl,
    quote_ident(s.srvname) AS server,
    (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(f.ftoptions) o) AS options,
    CASE WHEN c.relispartition THEN
        (SELECT i.inhparent::regclass::text FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) END AS partition_of,
    CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS partition_bound,
    c.relispartition
        AND (SELECT i.inhdetachpending FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) AS detach_pending,
    CASE WHEN c.relispartition THEN '{}'::text[] ELSE ARRAY(
        SELECT i.inhparent::regclass::text FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno
    ) END AS parents
FROM pg_catalog.pg_foreign_table f
JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
