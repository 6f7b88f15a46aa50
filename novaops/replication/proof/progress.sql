-- What the walsender of a slot measures, on the source.
SELECT extract(epoch FROM r.replay_lag)::float8
FROM pg_catalog.pg_replication_slots s
JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid
WHERE s.slot_name = %(slot)s
