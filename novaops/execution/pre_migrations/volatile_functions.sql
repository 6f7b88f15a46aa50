-- What functions of a name may do: change something in the database (documentation, section 36.7: what is not
-- VOLATILE cannot), and, as functions of PostgreSQL's own, act on the server beyond this database.
SELECT p.proname,
       bool_or(p.provolatile = 'v' AND NOT harmless) AS changes,
       bool_or(p.provolatile = 'v' AND NOT harmless AND p.pronamespace = 'pg_catalog'::regnamespace) AS beyond
FROM pg_catalog.pg_proc p,
     LATERAL (SELECT p.pronamespace = 'pg_catalog'::regnamespace
                     AND p.proname IN ('random', 'random_normal', 'setseed', 'clock_timestamp', 'timeofday',
                                       'gen_random_uuid', 'uuidv4', 'uuidv7', 'set_config', 'pg_sleep',
                                       'nextval', 'setval', 'currval', 'lastval') AS harmless) AS h
WHERE p.proname = ANY (%s)
GROUP BY p.proname
