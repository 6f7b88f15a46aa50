SELECT
    'pg_cast'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid,
    c.castmethod::text AS method,
    CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END AS function,
    c.castcontext::text AS context
FROM pg_catalog.pg_cast c
-- The cast from a range type to its multirange type comes with the range type.
LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = c.castsource AND r.rngmultitypid = c.casttarget
WHERE c.oid >= 16384 AND r.rngtypid IS NULL
