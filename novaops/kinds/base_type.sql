-- Scalar types and shell types (pg_type.typtype p, the only pseudo-types that people can make).
SELECT
    'pg_type'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    t.typowner AS owner,
    t.typacl AS acl,
    t.typisdefined AS defined,
    nullif(t.typinput::text, '-') AS input,
    nullif(t.typoutput::text, '-') AS output,
    nullif(t.typreceive::text, '-') AS receive,
    nullif(t.typsend::text, '-') AS send,
    nullif(t.typmodin::text, '-') AS typmod_in,
    nullif(t.typmodout::text, '-') AS typmod_out,
    nullif(t.typanalyze::text, '-') AS analyze,
    nullif(t.typsubscript::text, '-') AS subscript,
    CASE WHEN t.typisdefined THEN t.typlen END AS internallength,
    t.typbyval AND t.typisdefined AS passedbyvalue,
    CASE WHEN t.typisdefined THEN t.typalign::text END AS alignment,
    CASE WHEN t.typisdefined THEN t.typstorage::text END AS storage,
    CASE WHEN t.typisdefined THEN t.typcategory::text END AS category,
    t.typispreferred AS preferred,
    t.typdefault AS default,
    CASE WHEN t.typelem <> 0 THEN format_type(t.typelem, NULL) END AS element,
    CASE WHEN t.typisdefined THEN t.typdelim::text END AS delimiter,
    t.typcollation <> 0 AS collatable
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (t.typtype = 'b' AND e.typarray IS DISTINCT FROM t.oid OR t.typtype = 'p' AND NOT t.typisdefined)
