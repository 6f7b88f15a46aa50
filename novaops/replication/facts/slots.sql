SELECT
    s.slot_name::text AS name,
    s.plugin::text AS plugin,
    s.database::text AS database,
    s.active_pid AS active_pid,
    s.wal_status AS wal_status,
    s.invalidation_reason /*if pg_replication_slots: text*/ AS invalidation_reason,
    s.restart_lsn::text AS restart_lsn,
    s.confirmed_flush_lsn::text AS confirmed_flush_lsn,
    pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint AS behind,
    pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint AS retained,
    s.safe_wal_size AS safe_wal_size,
    s.temporary AS temporary
FROM pg_catalog.pg_replication_slots s
ORDER BY s.slot_name
