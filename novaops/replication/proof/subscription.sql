-- One subscription of this database and its worker. pg_subscription is shared by all databases.
-- Of the workers, those that copy a table have a relid; from 16 on those that help have a leader.
SELECT s.oid, s.subenabled, s.subslotname, s.subpublications, s.subdisableonerr,
       w.pid, a.wait_event_type, a.wait_event,
       extract(epoch FROM clock_timestamp() - w.latest_end_time)::float8 AS silent,
       w.received_lsn::text, coalesce(e.apply_error_count, 0), coalesce(e.sync_error_count, 0),
       pg_replication_origin_progress('pg_' || s.oid, false)::text AS origin_lsn
FROM pg_catalog.pg_subscription s
LEFT JOIN LATERAL (
    SELECT t.pid, t.latest_end_time, t.received_lsn FROM pg_catalog.pg_stat_subscription t
    WHERE t.subid = s.oid AND t.relid IS NULL AND t.pid IS NOT NULL AND (to_jsonb(t) ->> 'leader_pid') IS NULL
    LIMIT 1
) w ON true
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
LEFT JOIN pg_catalog.pg_stat_subscription_stats e ON e.subid = s.oid
WHERE s.subname = %(subscription)s
  AND s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
