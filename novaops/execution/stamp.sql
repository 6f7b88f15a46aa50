-- One text for the schema as it stands: which transactions wrote the rows of the catalogs. Whatever anybody creates,
-- alters or drops changes it, since a row that comes, goes or is replaced takes another xmin with it (documentation,
-- section 5.6, "System Columns"). Rows of pg_class are replaced by TRUNCATE, REFRESH MATERIALIZED VIEW and the like, too,
-- so there the columns count that these leave alone; and so where not everybody may read the system columns.
-- Left out: what sessions have to themselves (temporary tables), where PostgreSQL puts long values, and the objects that
-- are named.
WITH own_schema AS MATERIALIZED (
    -- pg_temp_3, pg_toast, pg_toast_temp_3
    SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname LIKE 'pg\_t%%'
), apart AS MATERIALIZED (
    TABLE own_schema
    UNION ALL SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace IN (TABLE own_schema)
    UNION ALL SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typnamespace IN (TABLE own_schema)
    UNION ALL SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace IN (TABLE own_schema)
    UNION ALL SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.connamespace IN (TABLE own_schema)
    UNION ALL SELECT unnest(%(apart)s::oid[])
), written AS (
    SELECT hash_record_extended(ROW(
        1, c.oid, c.relname, c.relnamespace, c.reloftype, c.relowner, c.relam, c.reltablespace, c.relpersistence, c.relkind,
        c.relnatts, c.relchecks, c.relrowsecurity, c.relforcerowsecurity, c.relispopulated, c.relreplident, c.relispartition,
        c.relacl, c.reloptions, c.relpartbound::text
    ), 0) AS row
    FROM pg_catalog.pg_class c WHERE c.oid NOT IN (TABLE apart)
    UNION ALL
    SELECT hash_record_extended(ROW(2, s.oid, s.subname, s.subowner, s.subslotname, s.subpublications), 0)
    FROM pg_catalog.pg_subscription s
    WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
    UNION ALL
    SELECT hash_record_extended(ROW(3, m.umid, m.srvid, m.umuser, m.umoptions), 0) FROM pg_catalog.pg_user_mappings m
    UNION ALL
    SELECT hash_record_extended(ROW(x.catalog, x.xmin), 0)
    FROM (
        SELECT 4 AS catalog, xmin FROM pg_catalog.pg_aggregate WHERE aggfnoid NOT IN (TABLE apart)
        UNION ALL SELECT 5, xmin FROM pg_catalog.pg_am
        UNION ALL SELECT 6, xmin FROM pg_catalog.pg_amop
        UNION ALL SELECT 7, xmin FROM pg_catalog.pg_amproc
        UNION ALL SELECT 8, xmin FROM pg_catalog.pg_attrdef WHERE adrelid NOT IN (TABLE apart)
        UNION ALL SELECT 9, xmin FROM pg_catalog.pg_attribute WHERE attrelid NOT IN (TABLE apart)
        UNION ALL SELECT 10, xmin FROM pg_catalog.pg_cast
        UNION ALL SELECT 11, xmin FROM pg_catalog.pg_collation
        UNION ALL SELECT 12, xmin FROM pg_catalog.pg_constraint WHERE oid NOT IN (TABLE apart)
        UNION ALL SELECT 13, xmin FROM pg_catalog.pg_conversion
        UNION ALL SELECT 14, xmin FROM pg_catalog.pg_default_acl
        UNION ALL SELECT 15, xmin FROM pg_catalog.pg_depend
            WHERE objid NOT IN (TABLE apart) AND refobjid NOT IN (TABLE apart)
        UNION ALL SELECT 16, xmin FROM pg_catalog.pg_description WHERE objoid NOT IN (TABLE apart)
        UNION ALL SELECT 17, xmin FROM pg_catalog.pg_enum WHERE enumtypid NOT IN (TABLE apart)
        UNION ALL SELECT 18, xmin FROM pg_catalog.pg_event_trigger
        UNION ALL SELECT 19, xmin FROM pg_catalog.pg_extension
        UNION ALL SELECT 20, xmin FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT 21, xmin FROM pg_catalog.pg_foreign_server
        UNION ALL SELECT 22, xmin FROM pg_catalog.pg_foreign_table
        UNION ALL SELECT 23, xmin FROM pg_catalog.pg_index WHERE indexrelid NOT IN (TABLE apart)
        UNION ALL SELECT 24, xmin FROM pg_catalog.pg_inherits WHERE inhrelid NOT IN (TABLE apart)
        UNION ALL SELECT 25, xmin FROM pg_catalog.pg_init_privs
        UNION ALL SELECT 26, xmin FROM pg_catalog.pg_language
        UNION ALL SELECT 27, xmin FROM pg_catalog.pg_namespace WHERE oid NOT IN (TABLE apart)
        UNION ALL SELECT 28, xmin FROM pg_catalog.pg_opclass
        UNION ALL SELECT 29, xmin FROM pg_catalog.pg_operator
        UNION ALL SELECT 30, xmin FROM pg_catalog.pg_opfamily
        UNION ALL SELECT 31, xmin FROM pg_catalog.pg_partitioned_table WHERE partrelid NOT IN (TABLE apart)
        UNION ALL SELECT 32, xmin FROM pg_catalog.pg_policy WHERE polrelid NOT IN (TABLE apart)
        UNION ALL SELECT 33, xmin FROM pg_catalog.pg_proc WHERE oid NOT IN (TABLE apart)
        UNION ALL SELECT 34, xmin FROM pg_catalog.pg_publication
        UNION ALL SELECT 35, xmin FROM pg_catalog.pg_publication_namespace
        UNION ALL SELECT 36, xmin FROM pg_catalog.pg_publication_rel
        UNION ALL SELECT 37, xmin FROM pg_catalog.pg_range WHERE rngtypid NOT IN (TABLE apart)
        UNION ALL SELECT 38, xmin FROM pg_catalog.pg_rewrite WHERE ev_class NOT IN (TABLE apart)
        UNION ALL SELECT 39, xmin FROM pg_catalog.pg_seclabel WHERE objoid NOT IN (TABLE apart)
        UNION ALL SELECT 40, xmin FROM pg_catalog.pg_sequence WHERE seqrelid NOT IN (TABLE apart)
        UNION ALL SELECT 41, xmin FROM pg_catalog.pg_statistic_ext WHERE stxrelid NOT IN (TABLE apart)
        UNION ALL SELECT 42, xmin FROM pg_catalog.pg_transform
        UNION ALL SELECT 43, xmin FROM pg_catalog.pg_trigger WHERE tgrelid NOT IN (TABLE apart)
        UNION ALL SELECT 44, xmin FROM pg_catalog.pg_ts_config
        UNION ALL SELECT 45, xmin FROM pg_catalog.pg_ts_config_map
        UNION ALL SELECT 46, xmin FROM pg_catalog.pg_ts_dict
        UNION ALL SELECT 47, xmin FROM pg_catalog.pg_ts_parser
        UNION ALL SELECT 48, xmin FROM pg_catalog.pg_ts_template
        UNION ALL SELECT 49, xmin FROM pg_catalog.pg_type WHERE oid NOT IN (TABLE apart)
    ) AS x
)
SELECT sum(w.row)::text || '/' || count(*) FROM written w
