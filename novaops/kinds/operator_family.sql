SELECT
    'pg_opfamily'::regclass::oid AS classid,
    f.oid AS objid,
    0 AS objsubid,
    f.opfowner AS owner,
    -- Members that belong to no operator class.
    coalesce(op.members, '[]') AS operators,
    coalesce(pr.members, '[]') AS functions
FROM pg_catalog.pg_opfamily f
JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
LEFT JOIN (
    SELECT d.refobjid, jsonb_agg(jsonb_build_array(
        o.amopstrategy, format_type(o.amoplefttype, NULL), format_type(o.amoprighttype, NULL),
        o.amopopr::regoperator::text, quote_ident(sn.nspname) || '.' || quote_ident(s.opfname)
    ) ORDER BY o.amopstrategy, format_type(o.amoplefttype, NULL), format_type(o.amoprighttype, NULL)) AS members
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_amop o ON o.oid = d.objid
    LEFT JOIN pg_catalog.pg_opfamily s ON s.oid = o.amopsortfamily
    LEFT JOIN pg_catalog.pg_namespace sn ON sn.oid = s.opfnamespace
    WHERE d.classid = 'pg_amop'::regclass AND d.refclassid = 'pg_opfamily'::regclass
      AND d.refobjid = o.amopfamily
    GROUP BY d.refobjid
) op ON op.refobjid = f.oid
LEFT JOIN (
    SELECT d.refobjid, jsonb_agg(jsonb_build_array(
        p.amprocnum, format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL),
        p.amproc::regprocedure::text
    ) ORDER BY p.amprocnum, format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL)) AS members
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_amproc p ON p.oid = d.objid
    WHERE d.classid = 'pg_amproc'::regclass AND d.refclassid = 'pg_opfamily'::regclass
    GROUP BY d.refobjid
) pr ON pr.refobjid = f.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
