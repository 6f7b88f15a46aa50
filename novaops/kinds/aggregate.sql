SELECT
    'pg_proc'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid,
    p.proowner AS owner,
    p.proacl AS acl,
    pg_get_function_arguments(p.oid) AS arguments,
    pg_get_function_result(p.oid) AS result,
    a.aggkind::text AS kind,
    -- From here on every column is a parameter of CREATE AGGREGATE, NULL where it has its default.
    a.aggtransfn::regproc::text AS sfunc,
    format_type(a.aggtranstype, NULL) AS stype,
    nullif(a.aggtransspace, 0) AS sspace,
    CASE WHEN a.aggfinalfn <> 0 THEN a.aggfinalfn::regproc::text END AS finalfunc,
    nullif(a.aggfinalextra, false) AS finalfunc_extra,
    CASE WHEN a.aggfinalmodify <> d.modify THEN m.word END AS finalfunc_modify,
    CASE WHEN a.aggcombinefn <> 0 THEN a.aggcombinefn::regproc::text END AS combinefunc,
    CASE WHEN a.aggserialfn <> 0 THEN a.aggserialfn::regproc::text END AS serialfunc,
    CASE WHEN a.aggdeserialfn <> 0 THEN a.aggdeserialfn::regproc::text END AS deserialfunc,
    quote_literal(a.agginitval) AS initcond,
    CASE WHEN a.aggmtransfn <> 0 THEN a.aggmtransfn::regproc::text END AS msfunc,
    CASE WHEN a.aggminvtransfn <> 0 THEN a.aggminvtransfn::regproc::text END AS minvfunc,
    CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END AS mstype,
    nullif(a.aggmtransspace, 0) AS msspace,
    CASE WHEN a.aggmfinalfn <> 0 THEN a.aggmfinalfn::regproc::text END AS mfinalfunc,
    nullif(a.aggmfinalextra, false) AS mfinalfunc_extra,
    CASE WHEN a.aggmtransfn <> 0 AND a.aggmfinalmodify <> d.modify THEN mm.word END AS mfinalfunc_modify,
    quote_literal(a.aggminitval) AS minitcond,
    CASE WHEN o.oid IS NOT NULL THEN format('OPERATOR(%I.%s)', s.nspname, o.oprname) END AS sortop,
    CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END AS parallel,
    nullif(a.aggkind = 'h', false) AS hypothetical
FROM pg_catalog.pg_aggregate a
JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN (VALUES ('n'::"char", 'r'::"char"), ('o', 'w'), ('h', 'w')) AS d (kind, modify) ON d.kind = a.aggkind
JOIN (VALUES ('r'::"char", 'READ_ONLY'), ('s', 'SHAREABLE'), ('w', 'READ_WRITE')) AS m (modify, word)
    ON m.modify = a.aggfinalmodify
JOIN (VALUES ('r'::"char", 'READ_ONLY'), ('s', 'SHAREABLE'), ('w', 'READ_WRITE')) AS mm (modify, word)
    ON mm.modify = a.aggmfinalmodify
LEFT JOIN pg_catalog.pg_operator o ON o.oid = a.aggsortop
LEFT JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace
WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
