SELECT
    'pg_type'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    t.typowner AS owner,
    t.typacl AS acl,
    format_type(r.rngsubtype, NULL) AS subtype,
    CASE WHEN NOT oc.opcdefault THEN quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) END AS subtype_opclass,
    CASE WHEN r.rngcollation <> st.typcollation THEN r.rngcollation::regcollation::text END AS collation,
    nullif(r.rngcanonical::text, '-') AS canonical,
    nullif(r.rngsubdiff::text, '-') AS subtype_diff,
    format_type(r.rngmultitypid, NULL) AS multirange_type,
    mn.nspname AS _multirange_schema,
    m.typname AS _multirange_name
FROM pg_catalog.pg_range r
JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type st ON st.oid = r.rngsubtype
JOIN pg_catalog.pg_type m ON m.oid = r.rngmultitypid
JOIN pg_catalog.pg_namespace mn ON mn.oid = m.typnamespace
JOIN pg_catalog.pg_opclass oc ON oc.oid = r.rngsubopc
JOIN pg_catalog.pg_namespace ocn ON ocn.oid = oc.opcnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
