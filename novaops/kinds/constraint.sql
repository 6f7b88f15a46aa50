WITH RECURSIVE modes AS (
    -- Of its own triggers those that do not fire as they should; for each partition of the table that it references
    -- a foreign key has a row of the same table, with triggers there.
    SELECT t.tgconstraint, t.tgrelid, t.tgfoid, t.tgenabled
    FROM pg_catalog.pg_trigger t
    WHERE t.tgisinternal AND t.tgconstraint <> 0 AND t.tgenabled <> 'O'
    UNION ALL
    SELECT p.oid, m.tgrelid, m.tgfoid, m.tgenabled
    FROM modes m
    JOIN pg_catalog.pg_constraint c ON c.oid = m.tgconstraint
    JOIN pg_catalog.pg_constraint p ON p.oid = c.conparentid AND p.conrelid = c.conrelid
)
SELECT
    'pg_constraint'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    -- A NOT NULL belongs to its column and is written with it.
    ARRAY['pg_class'::regclass::oid, c.conrelid, CASE WHEN c.contype = 'n' THEN c.conkey[1] ELSE 0 END::int::oid] AS parent,
    c.contype::text AS type,
    -- What follows in the deparsed text is known from the catalog, compared apart, and cut off by its length.
    left(d.definition, length(d.definition) - length(coalesce(o.clause, '') || coalesce(p.clause, '') || f.clause))
        AS definition,
    CASE WHEN c.contype = 'x' THEN pg_get_expr(x.indpred, x.indrelid) END AS predicate,
    c.contype IN ('c', 'n') AND c.connoinherit AS no_inherit,
    c.condeferrable AS deferrable,
    c.condeferred AS deferred,
    -- An inherited CHECK that was declared there as well stays when the parent's goes; ATTACH PARTITION leaves none.
    CASE WHEN c.contype = 'c' AND c.coninhcount > 0 AND NOT r.relispartition THEN c.conislocal END AS declared,
    e.enforced,
    c.convalidated AS validated,
    tm.modes AS trigger_modes,
    ic.reloptions AS options,
    st.statistics,
    quote_ident(s.spcname) AS tablespace,
    coalesce(x.indisclustered, false) AS clustered,
    coalesce(x.indisreplident, false) AS replica_identity,
    coalesce(x.indisvalid, true) AS valid,
    ih.inhparent::regclass::text AS parent_index,
    -- conindid of a foreign key is the index of the key that it references.
    obj_description(x.indexrelid, 'pg_class') AS index_comment,
    quote_ident(c.conname) AS _quoted,
    c.conrelid::regclass::text AS _relation,
    r.relname::text AS _relation_name,
    r.relkind = 'p' AS _partitioned,
    CASE WHEN r.relkind = 'p' AND NOT x.indisvalid THEN (
        SELECT count(*) FILTER (WHERE px.indisvalid) > 0 AND count(*) FILTER (WHERE px.indisvalid)
            = (SELECT count(*) FROM pg_catalog.pg_inherits t WHERE t.inhparent = x.indrelid)
        FROM pg_catalog.pg_inherits p JOIN pg_catalog.pg_index px ON px.indexrelid = p.inhrelid
        WHERE p.inhparent = x.indexrelid
    ) END AS _complete,
    r.relispartition AS _partition,
    CASE WHEN x.indexrelid IS NOT NULL THEN c.conindid::regclass::text END AS _index,
    -- WITHOUT OVERLAPS makes a key of a GiST index, which ADD CONSTRAINT … USING INDEX does not take.
    CASE WHEN c.contype IN ('p', 'u') AND NOT x.indisexclusion THEN pg_get_indexdef(c.conindid) END AS _index_definition,
    c.conislocal AS _local,
    k.columns AS _columns,
    CASE WHEN c.contype = 'f' THEN c.confrelid::regclass::text END AS _referenced,
    k.key AS _key,
    CASE WHEN c.contype = 'f' THEN (
        SELECT array_agg(quote_ident(a.attname) ORDER BY u.ordinality)
        FROM unnest(c.confkey) WITH ORDINALITY AS u (attnum, ordinality)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = u.attnum
    ) END AS _referenced_key,
    coalesce(c.conperiod /*if pg_constraint: boolean*/, false) AS _period,
    -- What EXCLUDE, and WITHOUT OVERLAPS, compare, and the operators of which not all may be true.
    CASE WHEN x.indisexclusion THEN (
        SELECT array_agg(pg_get_indexdef(c.conindid, u.ordinality::int, false) ORDER BY u.ordinality)
        FROM unnest(c.conexclop) WITH ORDINALITY AS u (operator, ordinality)
    ) END AS _expressions,
    CASE WHEN x.indisexclusion THEN (
        SELECT array_agg('OPERATOR(' || quote_ident(pn.nspname) || '.' || p.oprname || ')' ORDER BY u.ordinality)
        FROM unnest(c.conexclop) WITH ORDINALITY AS u (operator, ordinality)
        JOIN pg_catalog.pg_operator p ON p.oid = u.operator
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.oprnamespace
    ) END AS _operators,
    -- The functions of an expression stand in its tree alone: pg_depend leaves out those of the system.
    c.contype = 'c' AND EXISTS (
        SELECT FROM regexp_matches(c.conbin::text, ':(?:op)?funcid (\d+)', 'g') AS called (oid)
        JOIN pg_catalog.pg_proc p ON p.oid = called.oid[1]::oid AND p.provolatile = 'v'
    ) AS _volatile,
    i.names AS _inherited_from,
    c.confmatchtype = 'f' AS _match_full
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN LATERAL (SELECT coalesce(c.conenforced /*if pg_constraint: boolean*/, true) AS enforced) AS e
CROSS JOIN LATERAL (SELECT pg_get_constraintdef(c.oid) AS definition OFFSET 0) AS d
LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.conindid AND c.contype IN ('p', 'u', 'x')
LEFT JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = ic.reltablespace
LEFT JOIN pg_catalog.pg_inherits ih ON ih.inhrelid = x.indexrelid
LEFT JOIN (
    SELECT a.attrelid, jsonb_object_agg(a.attnum, a.attstattarget) AS statistics
    FROM pg_catalog.pg_attribute a WHERE a.attstattarget >= 0 AND a.attnum > 0 GROUP BY a.attrelid
) AS st ON st.attrelid = x.indexrelid
LEFT JOIN (
    SELECT m.tgconstraint, jsonb_agg(
        jsonb_build_array(m.tgrelid::regclass::text, f.proname, m.tgenabled::text)
        ORDER BY m.tgrelid::regclass::text, f.proname
    ) AS modes
    FROM modes m JOIN pg_catalog.pg_proc f ON f.oid = m.tgfoid GROUP BY m.tgconstraint
) AS tm ON tm.tgconstraint = c.oid
LEFT JOIN LATERAL (
    -- ruleutils.c, get_reloptions(); of the three only EXCLUDE shows them here.
    SELECT CASE WHEN c.contype = 'x' THEN ' WITH (' || string_agg(quote_ident(w.option_name) || '='
            || CASE WHEN quote_ident(w.option_value) = w.option_value THEN w.option_value ELSE quote_literal(w.option_value) END,
            ', ' ORDER BY w.ordinality) || ')' END AS clause
    FROM pg_options_to_table(ic.reloptions) WITH ORDINALITY AS w (option_name, option_value, ordinality)
    WHERE ic.reloptions IS NOT NULL
) AS o ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.contype = 'x' THEN ' WHERE (' || pg_get_expr(x.indpred, x.indrelid) || ')' END AS clause
) AS p
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.contype IN ('c', 'n') AND c.connoinherit THEN ' NO INHERIT' ELSE '' END
        || CASE WHEN c.condeferrable THEN ' DEFERRABLE' ELSE '' END
        || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
        || CASE WHEN NOT e.enforced THEN ' NOT ENFORCED' WHEN NOT c.convalidated THEN ' NOT VALID' ELSE '' END AS clause
) AS f
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY a.attnum) AS columns,
        array_agg(quote_ident(a.attname) ORDER BY array_position(c.conkey, a.attnum)) AS key
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
) AS k
LEFT JOIN LATERAL (
    -- Copies of keys and foreign keys know their origin, those of CHECK go by its name.
    SELECT ARRAY[pn.nspname, pr.relname, pc.conname]::text[] AS names
    FROM pg_catalog.pg_constraint pc
    JOIN pg_catalog.pg_class pr ON pr.oid = pc.conrelid
    JOIN pg_catalog.pg_namespace pn ON pn.oid = pr.relnamespace
    WHERE c.coninhcount > 0 AND (pc.oid = c.conparentid OR c.conparentid = 0 AND pc.contype = c.contype
        AND pc.conrelid IN (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.conrelid)
        AND c.contype = 'c' AND pc.conname = c.conname)
    ORDER BY pc.oid LIMIT 1
) AS i ON true
WHERE c.contype IN ('c', 'p', 'u', 'x', 'f', 'n')
  -- What NOT NULL is called where it is inherited is nobody's choice: there it is just the column's.
  AND NOT (c.contype = 'n' AND c.coninhcount > 0)
  -- For each partition of the table that it references a foreign key has a row of the same table (deptype "i").
  AND NOT (c.contype = 'f' AND EXISTS (
      SELECT FROM pg_catalog.pg_constraint o WHERE o.oid = c.conparentid AND o.conrelid = c.conrelid))
  AND n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
