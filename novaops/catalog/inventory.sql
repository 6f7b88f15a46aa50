-- Every row of the catalogs that stands for an object somebody made (oids below 16384 are initdb's:
-- FirstNormalObjectId, src/include/access/transam.h). Temporary and TOAST schemas are nobody's.
WITH passing AS (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast|temp)'
)
SELECT classid, objid FROM (
    SELECT 'pg_class'::regclass::oid AS classid, oid AS objid, relnamespace AS namespace FROM pg_catalog.pg_class
    UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_catalog.pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_catalog.pg_type
    UNION ALL SELECT 'pg_constraint'::regclass, oid, connamespace FROM pg_catalog.pg_constraint
        -- An inherited NOT NULL is the column's (kinds/column.sql).
        WHERE NOT (contype = 'n' AND coninhcount > 0)
    UNION ALL SELECT 'pg_attrdef'::regclass, oid, 0 FROM pg_catalog.pg_attrdef
    UNION ALL SELECT 'pg_trigger'::regclass, oid, 0 FROM pg_catalog.pg_trigger
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, 0 FROM pg_catalog.pg_rewrite
    UNION ALL SELECT 'pg_policy'::regclass, oid, 0 FROM pg_catalog.pg_policy
    UNION ALL SELECT 'pg_namespace'::regclass, oid, oid FROM pg_catalog.pg_namespace
    UNION ALL SELECT 'pg_extension'::regclass, oid, 0 FROM pg_catalog.pg_extension
    UNION ALL SELECT 'pg_cast'::regclass, oid, 0 FROM pg_catalog.pg_cast
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_catalog.pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_catalog.pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace FROM pg_catalog.pg_opfamily
    UNION ALL SELECT 'pg_am'::regclass, oid, 0 FROM pg_catalog.pg_am
    UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace FROM pg_catalog.pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace FROM pg_catalog.pg_conversion
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxnamespace FROM pg_catalog.pg_statistic_ext
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, 0 FROM pg_catalog.pg_event_trigger
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0 FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0 FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid, 0 FROM pg_catalog.pg_user_mappings
    UNION ALL SELECT 'pg_publication'::regclass, oid, 0 FROM pg_catalog.pg_publication
    UNION ALL SELECT 'pg_publication_rel'::regclass, oid, 0 FROM pg_catalog.pg_publication_rel
    UNION ALL SELECT 'pg_publication_namespace'::regclass, oid, 0 FROM pg_catalog.pg_publication_namespace
    UNION ALL SELECT 'pg_subscription'::regclass, s.oid, 0 FROM pg_catalog.pg_subscription s
        JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
    UNION ALL SELECT 'pg_language'::regclass, oid, 0 FROM pg_catalog.pg_language
    UNION ALL SELECT 'pg_transform'::regclass, oid, 0 FROM pg_catalog.pg_transform
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_catalog.pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_catalog.pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace FROM pg_catalog.pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace FROM pg_catalog.pg_ts_template
    UNION ALL SELECT 'pg_default_acl'::regclass, oid, 0 FROM pg_catalog.pg_default_acl
) AS everything
WHERE objid >= 16384 AND namespace NOT IN (SELECT oid FROM passing)
