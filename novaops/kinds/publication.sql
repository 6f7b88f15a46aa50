SELECT
    'pg_publication'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid,
    p.pubowner AS owner,
    p.puballtables AS all_tables,
    concat_ws(
        ', ',
        CASE WHEN p.pubinsert THEN 'insert' END,
        CASE WHEN p.pubupdate THEN 'update' END,
        CASE WHEN p.pubdelete THEN 'delete' END,
        CASE WHEN p.pubtruncate THEN 'truncate' END
    ) AS publish,
    p.pubviaroot AS via_root,
    CASE p.pubgencols /*if pg_publication: text*/::text WHEN 's' THEN 'stored' ELSE 'none' END AS generated_columns
FROM pg_catalog.pg_publication p
