SELECT
    'pg_publication_namespace'::regclass::oid AS classid,
    m.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_publication'::regclass::oid, p.oid, 0::oid] AS parent,
    quote_ident(p.pubname) AS _publication,
    quote_ident(n.nspname) AS _schema
FROM pg_catalog.pg_publication_namespace m
JOIN pg_catalog.pg_publication p ON p.oid = m.pnpubid
JOIN pg_catalog.pg_namespace n ON n.oid = m.pnnspid
