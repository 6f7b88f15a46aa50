SELECT
    'pg_type'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    t.typowner AS owner,
    t.typacl AS acl,
    format_type(t.typbasetype, t.typtypmod) AS base_type,
    CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END AS collation,
    coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)) AS default,
    -- From PostgreSQL 17 on it is a constraint with a name, a domain_constraint.
    t.typnotnull AND nn.contypid IS NULL AS not_null,
    format_type(t.typbasetype, NULL) AS _base_type,
    nullif(t.typtypmod, -1) AS _type_modifier,
    b.typtype::text AS _type_type,
    b.typtype IN ('e', 'r', 'm') OR EXISTS (
        SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
        WHERE o.opcdefault AND m.amname IN ('btree', 'hash')
          AND o.opcintype = CASE WHEN b.typcategory = 'A' THEN b.typelem ELSE b.oid END
    ) AS _has_equality
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_constraint nn ON nn.contypid = t.oid AND nn.contype = 'n'
WHERE t.typtype = 'd' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
