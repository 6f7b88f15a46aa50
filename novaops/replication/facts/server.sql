SELECT
    current_setting('wal_level') AS wal_level,
    ARRAY(SELECT name FROM pg_catalog.pg_settings WHERE pending_restart ORDER BY name) AS pending_restart,
    current_setting('max_replication_slots')::int AS max_replication_slots,
    (SELECT count(*) FROM pg_catalog.pg_replication_slots) AS slots,
    current_setting('max_wal_senders')::int AS max_wal_senders,
    (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS senders,
    coalesce(
        current_setting('max_active_replication_origins', true),
        current_setting('max_replication_slots')
    )::int AS max_origins,
    ARRAY(SELECT roname FROM pg_catalog.pg_replication_origin ORDER BY roname) AS origins,
    -- pg_replication_origin_status is not for everybody: every origin that a subscription has is taken for active.
    (SELECT count(*) FROM pg_catalog.pg_replication_origin) AS active_origins,
    current_setting('max_logical_replication_workers')::int AS max_logical_workers,
    current_setting('max_sync_workers_per_subscription')::int AS max_sync_workers,
    current_setting('max_worker_processes')::int AS max_worker_processes,
    (SELECT count(pid) FROM pg_catalog.pg_stat_subscription) AS logical_workers,
    -- Of other roles' processes only some may see more than that they are there (NULL).
    (
        SELECT count(*)
        FROM pg_catalog.pg_stat_activity
        WHERE backend_type NOT IN (
            'client backend', 'autovacuum launcher', 'autovacuum worker', 'background writer', 'checkpointer',
            'startup', 'walreceiver', 'walsender', 'walwriter', 'archiver', 'logger', 'io worker', 'slotsync worker',
            'walsummarizer', 'standalone backend', 'logical replication worker', 'logical replication apply worker',
            'logical replication tablesync worker', 'logical replication parallel worker'
        )
    ) AS other_workers,
    (SELECT count(*) FROM pg_catalog.pg_subscription WHERE subenabled) AS enabled_subscriptions,
    (
        SELECT nullif(setting::bigint, -1) * 1024 * 1024
        FROM pg_catalog.pg_settings
        WHERE name = 'max_slot_wal_keep_size'
    ) AS max_slot_wal_keep_size,
    r.rolsuper AS superuser,
    r.rolsuper OR r.rolreplication AS replication,
    r.rolsuper OR r.rolbypassrls AS bypass_rls,
    r.rolsuper OR (
        has_database_privilege(current_database(), 'CREATE')
        -- Since 16; a role that does not exist is no error this way.
        AND EXISTS (
            SELECT
            FROM pg_catalog.pg_roles c
            WHERE c.rolname = 'pg_create_subscription' AND pg_has_role(c.oid, 'USAGE')
        )
    ) AS may_create_subscription,
    has_parameter_privilege('session_replication_role', 'SET') AS may_set_replication_role,
    has_database_privilege(current_database(), 'CREATE') AS may_create
FROM pg_catalog.pg_roles r
WHERE r.rolname = current_user
