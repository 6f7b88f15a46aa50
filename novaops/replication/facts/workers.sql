SELECT
    s.subid::bigint AS subscription,
    s.pid AS pid,
    s.relid::bigint AS relation,
    a.backend_start AS started,
    a.wait_event_type AS wait_event_type,
    a.wait_event AS wait_event,
    CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(s.pid) ELSE '{}' END AS blocked_by,
    s.received_lsn::text AS received_lsn,
    s.latest_end_lsn::text AS latest_end_lsn,
    s.last_msg_receipt_time AS last_message
FROM pg_catalog.pg_stat_subscription s
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.pid
WHERE s.pid IS NOT NULL
ORDER BY s.subid, s.relid NULLS FIRST, s.pid
