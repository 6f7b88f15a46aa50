-- Triggers of the target that fire for inserted rows of the table when the worker applies them, with their functions'
-- source. tgtype: 1 is FOR EACH ROW, 4 is INSERT (src/include/catalog/pg_trigger.h). The rows of a partitioned table are
-- applied to its leaves.
SELECT t.tgname::text, p.prosrc
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid IN (
        SELECT to_regclass(%(table)s)::oid
        UNION SELECT tree.relid FROM pg_catalog.pg_partition_tree(to_regclass(%(table)s)) AS tree
    )
  AND NOT t.tgisinternal AND t.tgenabled IN ('A', 'R') AND t.tgtype & 5 = 5
ORDER BY 1
