SELECT
    s.oid::bigint AS oid,
    s.subname::text AS name,
    r.rolname::text AS owner,
    r.rolsuper AS owner_superuser,
    s.subenabled AS enabled,
    s.subslotname::text AS slot,
    s.subpublications AS publications,
    s.subdisableonerr AS disable_on_error,
    s.suborigin /*if pg_subscription: text*/ AS origin,
    s.subpasswordrequired /*if pg_subscription: boolean*/ AS password_required,
    s.subrunasowner /*if pg_subscription: boolean*/ AS run_as_owner,
    coalesce(t.apply_error_count, 0) AS apply_errors,
    coalesce(t.sync_error_count, 0) AS sync_errors
FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
JOIN pg_catalog.pg_roles r ON r.oid = s.subowner
LEFT JOIN pg_catalog.pg_stat_subscription_stats t ON t.subid = s.oid
WHERE d.datname = current_database()
ORDER BY s.subname
