SELECT
    'pg_proc'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid,
    p.proowner AS owner,
    p.proacl AS acl,
    pg_get_function_arguments(p.oid) AS arguments,
    quote_ident(l.lanname) AS language,
    p.prosecdef AS security_definer,
    p.proconfig AS config,
    ARRAY(SELECT format_type(t, NULL) FROM unnest(p.protrftypes) AS t) AS transforms,
    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) AS body,
    p.probin AS binary,
    pg_get_functiondef(p.oid) AS _definition,
    pg_get_function_identity_arguments(p.oid) AS _identity_arguments,
    p.prosqlbody IS NOT NULL AS _parsed,
    ARRAY(
        SELECT ARRAY[
            coalesce(p.proargmodes[a.n]::text, 'i'),
            coalesce(p.proargnames[a.n], ''),
            format_type(a.type, NULL),
            CASE WHEN p.pronargdefaults > 0 THEN pg_get_function_arg_default(p.oid, a.n::integer) END
        ]
        FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS a (type, n)
        ORDER BY a.n
    ) AS _parameters
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.prokind = 'p'
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
