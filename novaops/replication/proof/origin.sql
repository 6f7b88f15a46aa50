-- The end of the last transaction of the source that was applied, and how long the source has said nothing, on the target.
SELECT pg_replication_origin_progress('pg_' || %(oid)s, false)::text,
       (SELECT extract(epoch FROM clock_timestamp() - max(w.latest_end_time))::float8
        FROM pg_catalog.pg_stat_subscription w
        WHERE w.subid = %(oid)s AND w.relid IS NULL AND w.pid IS NOT NULL)
