SELECT classoid, objoid, objsubid, provider, label FROM pg_catalog.pg_seclabel
UNION ALL
-- pg_subscription is a catalog of the cluster, and its labels are with those of roles and databases.
SELECT classoid, objoid, 0, provider, label FROM pg_catalog.pg_shseclabel
WHERE classoid = 'pg_subscription'::regclass
