-- How far the session is with building an index. Each phase counts one kind of thing (documentation,
-- section 27.4.4): those it waits for, blocks or tuples.
SELECT phase, CASE
    WHEN phase LIKE 'waiting%%' THEN lockers_done::float / nullif(lockers_total, 0)
    WHEN tuples_total > 0 THEN tuples_done::float / tuples_total
    ELSE blocks_done::float / nullif(blocks_total, 0)
END AS done
FROM pg_catalog.pg_stat_progress_create_index
WHERE pid = %(pid)s
