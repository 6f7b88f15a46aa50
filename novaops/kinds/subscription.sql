SELECT
    'pg_subscription'::regclass::oid AS classid,
    s.oid AS objid,
    0 AS objsubid,
    s.subowner AS owner,
    -- Only superusers may read it; NULL for others.
    s.subconninfo /*if pg_subscription: text*/ AS connection,
    ARRAY(SELECT quote_ident(p) FROM unnest(s.subpublications) AS p ORDER BY p) AS publications,
    s.subslotname::text AS slot_name,
    s.subsynccommit AS synchronous_commit,
    s.subbinary AS binary,
    -- boolean up to version 15, "char" (f, t, p) since.
    CASE s.substream::text WHEN 'p' THEN 'parallel' WHEN 't' THEN 'on' WHEN 'true' THEN 'on' ELSE 'off' END AS streaming,
    s.subtwophasestate <> 'd' AS two_phase,
    s.subdisableonerr AS disable_on_error,
    s.suborigin /*if pg_subscription: text*/ AS origin,
    s.subpasswordrequired /*if pg_subscription: boolean*/ AS password_required,
    s.subrunasowner /*if pg_subscription: boolean*/ AS run_as_owner,
    s.subfailover /*if pg_subscription: boolean*/ AS failover,
    s.subenabled AS _enabled
FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database()
