SELECT
    'pg_operator'::regclass::oid AS classid,
    o.oid AS objid,
    0 AS objsubid,
    o.oprowner AS owner,
    -- A shell, made by being named as commutator or negator, has no function.
    nullif(o.oprcode::text, '-') AS function,
    CASE WHEN o.oprcom <> 0 THEN 'OPERATOR(' || quote_ident(cn.nspname) || '.' || c.oprname || ')' END AS commutator,
    CASE WHEN o.oprnegate <> 0 THEN 'OPERATOR(' || quote_ident(nn.nspname) || '.' || ne.oprname || ')' END AS negator,
    nullif(o.oprrest::text, '-') AS restrict,
    nullif(o.oprjoin::text, '-') AS join,
    o.oprcanhash AS hashes,
    o.oprcanmerge AS merges,
    quote_ident(n.nspname) || '.' || o.oprname AS _operator,
    CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END AS _leftarg,
    format_type(o.oprright, NULL) AS _rightarg,
    ARRAY[cn.nspname, c.oprname]::text[] AS _commutator_names,
    ARRAY[nn.nspname, ne.oprname]::text[] AS _negator_names
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
LEFT JOIN pg_catalog.pg_operator c ON c.oid = o.oprcom
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.oprnamespace
LEFT JOIN pg_catalog.pg_operator ne ON ne.oid = o.oprnegate
LEFT JOIN pg_catalog.pg_namespace nn ON nn.oid = ne.oprnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
