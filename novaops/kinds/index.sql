SELECT
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    ARRAY['pg_class'::regclass::oid, x.indrelid, 0::oid] AS parent,
    -- What follows in the deparsed text is known from the catalog, compared apart, and cut off by its length.
    left(d.definition, length(d.definition) - length(coalesce(o.clause, '') || coalesce(' WHERE ' || p.predicate, '')))
        AS definition,
    p.predicate,
    c.reloptions AS options,
    quote_ident(s.spcname) AS tablespace,
    x.indisvalid AS valid,
    x.indisclustered AS clustered,
    x.indisreplident AS replica_identity,
    st.statistics,
    ih.inhparent::regclass::text AS parent_index,
    x.indisunique AS _unique,
    x.indnullsnotdistinct AS _nulls_not_distinct,
    CASE WHEN x.indisunique THEN (
        SELECT array_agg(pg_get_indexdef(x.indexrelid, n, false)
            || CASE WHEN x.indcollation[n - 1] <> 0 THEN ' COLLATE ' || x.indcollation[n - 1]::regcollation ELSE '' END ORDER BY n)
        FROM generate_series(1, x.indnkeyatts) AS n
    ) END AS _keys,
    (
        SELECT array_agg(pg_get_indexdef(x.indexrelid, u.ordinality::int, false) ORDER BY u.ordinality)
        FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u (attnum, ordinality) WHERE u.attnum = 0
    ) AS _computed,
    -- The columns in expressions and the predicate, and those whose operator class need not be there for another type.
    (
        SELECT array_agg(DISTINCT a.attname::text ORDER BY a.attname::text)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = x.indrelid AND (
            EXISTS (
                SELECT FROM unnest(x.indkey::int2[], x.indclass::oid[]) AS u (attnum, opclass)
                JOIN pg_catalog.pg_opclass o ON o.oid = u.opclass
                WHERE u.attnum = a.attnum AND (NOT o.opcdefault OR m.amname NOT IN ('btree', 'hash'))
            ) OR EXISTS (
                SELECT FROM regexp_matches(concat(x.indexprs, x.indpred), ':varattno (\d+)', 'g') AS used (attnum)
                WHERE used.attnum[1]::int = a.attnum
            )
        )
    ) AS _bound_columns,
    -- What CompareIndexInfo() looks at; the same numbers only on the same table of the same database.
    ARRAY[c.relam::text, x.indisunique::text, x.indnullsnotdistinct::text, x.indkey::text, x.indcollation::text,
        x.indclass::text, pg_get_expr(x.indexprs, x.indrelid), p.predicate] AS _compared,
    c.relkind = 'I' AS _partitioned,
    -- Whether it could be valid: each partition has a valid one that is attached.
    CASE WHEN c.relkind = 'I' AND NOT x.indisvalid THEN (
        SELECT count(*) FILTER (WHERE px.indisvalid) > 0 AND count(*) FILTER (WHERE px.indisvalid)
            = (SELECT count(*) FROM pg_catalog.pg_inherits t WHERE t.inhparent = x.indrelid)
        FROM pg_catalog.pg_inherits p JOIN pg_catalog.pg_index px ON px.indexrelid = p.inhrelid
        WHERE p.inhparent = x.indexrelid
    ) END AS _complete,
    x.indrelid::regclass::text AS _relation,
    quote_ident(c.relname) AS _quoted,
    k.columns AS _columns,
    CASE WHEN pc.oid IS NOT NULL THEN ARRAY[pn.nspname, pc.relname]::text[] END AS _parent_names
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_get_indexdef(x.indexrelid) AS definition OFFSET 0) AS d
CROSS JOIN LATERAL (SELECT pg_get_expr(x.indpred, x.indrelid) AS predicate OFFSET 0) AS p
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_inherits ih ON ih.inhrelid = x.indexrelid
LEFT JOIN pg_catalog.pg_class pc ON pc.oid = ih.inhparent
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
LEFT JOIN pg_catalog.pg_constraint k1 ON k1.conindid = x.indexrelid AND k1.conrelid = x.indrelid AND k1.contype IN ('p', 'u', 'x')
LEFT JOIN LATERAL (
    -- ruleutils.c, get_reloptions()
    SELECT ' WITH (' || string_agg(quote_ident(w.option_name) || '='
            || CASE WHEN quote_ident(w.option_value) = w.option_value THEN w.option_value ELSE quote_literal(w.option_value) END,
            ', ' ORDER BY w.ordinality) || ')' AS clause
    FROM pg_options_to_table(c.reloptions) WITH ORDINALITY AS w (option_name, option_value, ordinality)
    WHERE c.reloptions IS NOT NULL
) AS o ON true
LEFT JOIN (
    SELECT a.attrelid, jsonb_object_agg(a.attnum, a.attstattarget) AS statistics
    FROM pg_catalog.pg_attribute a WHERE a.attstattarget >= 0 AND a.attnum > 0 GROUP BY a.attrelid
) AS st ON st.attrelid = x.indexrelid
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = x.indrelid AND a.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1])
) AS k
WHERE k1.oid IS NULL
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
