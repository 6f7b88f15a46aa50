SELECT
    'pg_ts_config'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.cfgowner AS owner,
    quote_ident(pn.nspname) || '.' || quote_ident(p.prsname) AS parser,
    (SELECT jsonb_object_agg(m.alias, m.dictionaries) FROM (
        SELECT t.alias, array_agg(m.mapdict::regdictionary::text ORDER BY m.mapseqno) AS dictionaries
        FROM pg_catalog.pg_ts_config_map m
        JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
        WHERE m.mapcfg = c.oid
        GROUP BY t.alias
    ) m) AS mappings
FROM pg_catalog.pg_ts_config c
JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace
JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.prsnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
