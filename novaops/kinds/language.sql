SELECT
    'pg_language'::regclass::oid AS classid,
    l.oid AS objid,
    0 AS objsubid,
    l.lanowner AS owner,
    l.lanacl AS acl,
    l.lanpltrusted AS trusted,
    CASE WHEN l.lanplcallfoid <> 0 THEN l.lanplcallfoid::regproc::text END AS handler,
    CASE WHEN l.laninline <> 0 THEN l.laninline::regproc::text END AS inline,
    CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::regproc::text END AS validator
FROM pg_catalog.pg_language l
WHERE l.oid >= 16384
