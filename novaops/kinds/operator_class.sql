SELECT
    'pg_opclass'::regclass::oid AS classid,
    oc.oid AS objid,
    0 AS objsubid,
    oc.opcowner AS owner,
    format_type(oc.opcintype, NULL) AS type,
    oc.opcdefault AS default,
    CASE WHEN oc.opckeytype <> 0 THEN format_type(oc.opckeytype, NULL) END AS storage,
    quote_ident(fn.nspname) || '.' || quote_ident(f.opfname) AS family,
    coalesce(op.members, '[]') AS operators,
    coalesce(pr.members, '[]') AS functions
FROM pg_catalog.pg_opclass oc
JOIN pg_catalog.pg_namespace n ON n.oid = oc.opcnamespace
JOIN pg_catalog.pg_opfamily f ON f.oid = oc.opcfamily
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
LEFT JOIN (
    SELECT d.refobjid, jsonb_agg(jsonb_build_array(
        o.amopstrategy, o.amopopr::regoperator::text, quote_ident(sn.nspname) || '.' || quote_ident(s.opfname)
    ) ORDER BY o.amopstrategy) AS members
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_amop o ON o.oid = d.objid
    LEFT JOIN pg_catalog.pg_opfamily s ON s.oid = o.amopsortfamily
    LEFT JOIN pg_catalog.pg_namespace sn ON sn.oid = s.opfnamespace
    WHERE d.classid = 'pg_amop'::regclass AND d.refclassid = 'pg_opclass'::regclass
    GROUP BY d.refobjid
) op ON op.refobjid = oc.oid
LEFT JOIN (
    SELECT d.refobjid, jsonb_agg(jsonb_build_array(
        p.amprocnum, format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL),
        p.amproc::regprocedure::text
    ) ORDER BY p.amprocnum, format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL)) AS members
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_amproc p ON p.oid = d.objid
    WHERE d.classid = 'pg_amproc'::regclass AND d.refclassid = 'pg_opclass'::regclass
    GROUP BY d.refobjid
) pr ON pr.refobjid = oc.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
