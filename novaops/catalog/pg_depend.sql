-- Pinned objects have no rows here; of the built-in ones only schema public is ever a kind's object.
SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype::text
FROM pg_catalog.pg_depend
WHERE objid >= 16384 OR refobjid >= 16384
