SELECT
    'pg_publication_rel'::regclass::oid AS classid,
    r.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_publication'::regclass::oid, p.oid, 0::oid] AS parent,
    CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(
        SELECT quote_ident(a.attname) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs) ORDER BY a.attname
    ) END AS columns,
    pg_get_expr(r.prqual, r.prrelid) AS row_filter,
    quote_ident(p.pubname) AS _publication,
    r.prrelid::regclass::text AS _relation
FROM pg_catalog.pg_publication_rel r
JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
