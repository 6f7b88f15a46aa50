-- How many of the workers for logical replication there may be are at work, in all databases.
SELECT (SELECT count(*) FROM pg_catalog.pg_stat_subscription WHERE pid IS NOT NULL)::int,
       current_setting('max_logical_replication_workers')::int,
       current_setting('max_worker_processes')::int,
       current_setting('max_sync_workers_per_subscription')::int
