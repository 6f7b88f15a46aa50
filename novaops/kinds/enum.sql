SELECT
    'pg_type'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    t.typowner AS owner,
    t.typacl AS acl,
    -- Without labels (CREATE TYPE … AS ENUM ()) there are no rows to aggregate.
    coalesce(e.labels, '{}') AS labels
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN (
    SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels
    FROM pg_catalog.pg_enum
    GROUP BY enumtypid
) e ON e.enumtypid = t.oid
WHERE t.typtype = 'e' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
