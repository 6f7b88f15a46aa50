-- When the row was made that stands for the creation of each object: by which transaction, counted from now
-- backwards, and which command of it. ALTER writes an object's own row anew, so the oldest of that row and
-- its dependencies counts. What was to be deleted by a subtransaction rolled back since (xmax) may hold a
-- combined command id instead of cmin (src/backend/utils/time/combocid.c).
SELECT classid, objid, objsubid, made[1], made[2] FROM (
SELECT classid, objid, objsubid, min(ARRAY[-age, command]) AS made FROM (
    SELECT classid, objid, objsubid, CASE WHEN xmax = 0 THEN cmin::text::bigint END AS command, age(xmin) AS age FROM pg_catalog.pg_depend
    UNION ALL SELECT 'pg_class'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_class
    UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_attribute WHERE attnum > 0
    UNION ALL SELECT 'pg_namespace'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_namespace
    UNION ALL SELECT 'pg_extension'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_extension
    UNION ALL SELECT 'pg_proc'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_type
    UNION ALL SELECT 'pg_constraint'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_constraint
    UNION ALL SELECT 'pg_cast'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_cast
    UNION ALL SELECT 'pg_am'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_am
    UNION ALL SELECT 'pg_language'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_language
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_event_trigger
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT 'pg_publication'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_publication
    UNION ALL SELECT 'pg_default_acl'::regclass, oid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_default_acl
    UNION ALL SELECT classid, objid, 0, CASE WHEN xmax = 0 THEN cmin::text::bigint END, age(xmin) FROM pg_catalog.pg_shdepend
        WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
) AS rows
WHERE objid >= 16384
GROUP BY classid, objid, objsubid
) AS oldest
