SELECT
    p.pubname::text AS name,
    pg_get_userbyid(p.pubowner)::text AS owner,
    p.puballtables AS all_tables,
    array_remove(ARRAY[
        CASE WHEN p.pubinsert THEN 'insert' END,
        CASE WHEN p.pubupdate THEN 'update' END,
        CASE WHEN p.pubdelete THEN 'delete' END,
        CASE WHEN p.pubtruncate THEN 'truncate' END
    ], NULL) AS operations,
    p.pubviaroot AS via_root,
    ARRAY(
        SELECT n.nspname::text
        FROM pg_catalog.pg_publication_namespace pn
        JOIN pg_catalog.pg_namespace n ON n.oid = pn.pnnspid
        WHERE pn.pnpubid = p.oid
        ORDER BY n.nspname
    ) AS schemas
FROM pg_catalog.pg_publication p
ORDER BY p.pubname
