-- Whether this transaction has changed what all databases of the server share: roles and their members, settings of
-- roles and of other databases, tablespaces, rights on parameters, comments on any of these.
-- Rows are counted as they happen, one that is undone included. What is said of this database goes with it, and so do
-- dependencies, subscriptions and their replication origins (pg_shdepend, pg_subscription, pg_replication_origin); such
-- rows are told by the transaction that wrote them (a subtransaction's id comes after that of the outermost one).
-- A row of those three catalogs that is gone does not tell which database it was about.
WITH here AS MATERIALIZED (
    SELECT d.oid, pg_catalog.age(pg_catalog.pg_current_xact_id()::pg_catalog.xid) AS age
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
), counted AS MATERIALIZED (
    SELECT c.oid, c.of_databases,
        pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS written,
        pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS gone
    FROM (VALUES ('pg_catalog.pg_authid'::pg_catalog.regclass, false), ('pg_catalog.pg_auth_members', false),
        ('pg_catalog.pg_tablespace', false), ('pg_catalog.pg_parameter_acl', false), ('pg_catalog.pg_shseclabel', false),
        ('pg_catalog.pg_database', true), ('pg_catalog.pg_db_role_setting', true), ('pg_catalog.pg_shdescription', true)
    ) AS c (oid, of_databases)
)
SELECT EXISTS (SELECT FROM counted c WHERE c.gone > 0 OR (c.written > 0 AND NOT c.of_databases)) OR EXISTS (
    SELECT FROM here, counted c, LATERAL (
        SELECT FROM pg_catalog.pg_database d
        WHERE c.oid = 'pg_catalog.pg_database'::pg_catalog.regclass
            AND d.oid <> here.oid AND pg_catalog.age(d.xmin) <= here.age
        UNION ALL SELECT FROM pg_catalog.pg_db_role_setting s
        WHERE c.oid = 'pg_catalog.pg_db_role_setting'::pg_catalog.regclass
            AND s.setdatabase <> here.oid AND pg_catalog.age(s.xmin) <= here.age
        UNION ALL SELECT FROM pg_catalog.pg_shdescription s
        WHERE c.oid = 'pg_catalog.pg_shdescription'::pg_catalog.regclass AND pg_catalog.age(s.xmin) <= here.age
            AND (s.classoid, s.objoid) <> ('pg_catalog.pg_database'::pg_catalog.regclass, here.oid)
    ) AS others
    WHERE c.written > 0
)
