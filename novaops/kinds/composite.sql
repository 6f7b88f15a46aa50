SELECT
    'pg_type'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid,
    t.typowner AS owner,
    t.typacl AS acl,
    coalesce(a.attributes, '[]') AS attributes,
    coalesce(a.comments, '{}') AS attribute_comments,
    coalesce(a.labels, '{}') AS attribute_labels,
    coalesce(a.comparable, '[]') AS _comparable
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN (
    SELECT
        a.attrelid,
        jsonb_agg(jsonb_build_array(
            a.attname,
            format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation <> at.typcollation THEN a.attcollation::regcollation::text END
        ) ORDER BY a.attnum) AS attributes,
        -- Attributes whose type has an equality.
        jsonb_agg(a.attname) FILTER (WHERE at.typtype IN ('e', 'r', 'm') OR q.opcintype IS NOT NULL) AS comparable,
        jsonb_object_agg(a.attname, d.description) FILTER (WHERE d.description IS NOT NULL) AS comments,
        jsonb_object_agg(a.attname, l.labels) FILTER (WHERE l.labels IS NOT NULL) AS labels
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind = 'c'
    JOIN pg_catalog.pg_type at ON at.oid = a.atttypid
    LEFT JOIN (
        SELECT DISTINCT o.opcintype FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
        WHERE o.opcdefault AND m.amname IN ('btree', 'hash')
    ) q ON q.opcintype = CASE WHEN at.typcategory = 'A' THEN at.typelem ELSE at.oid END
    LEFT JOIN pg_catalog.pg_description d
        ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
    LEFT JOIN (
        SELECT l.objoid, l.objsubid, jsonb_object_agg(l.provider, l.label) AS labels
        FROM pg_catalog.pg_seclabel l WHERE l.classoid = 'pg_class'::regclass GROUP BY l.objoid, l.objsubid
    ) l ON l.objoid = a.attrelid AND l.objsubid = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
    GROUP BY a.attrelid
) a ON a.attrelid = t.typrelid
WHERE t.typtype = 'c' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
