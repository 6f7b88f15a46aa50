CREATE OR REPLACE FUNCTION novaops.refuse_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%.% is a read-only replica', quote_ident(TG_TABLE_SCHEMA), quote_ident(TG_TABLE_NAME)
        USING ERRCODE = 'read_only_sql_transaction',
              HINT = 'Write to the database that it is replicated from.';
END;
$$;
COMMENT ON FUNCTION novaops.refuse_write() IS
    'Refuses writes to read-only replicas. Workers of logical replication do not fire triggers of the mode ORIGIN.';
