-- The slot on the source, and what the subscriber has confirmed.
SELECT s.plugin, s.database, s.active, s.active_pid, s.wal_status,
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint,
       pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint,
       s.safe_wal_size,
       extract(epoch FROM r.replay_lag)::float8
FROM pg_catalog.pg_replication_slots s
LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid
WHERE s.slot_name = %(slot)s
