-- What pgbouncer's auth_query calls. It runs with the rights of its owner, a superuser, so it gives away as little as
-- it can: the verifier of one role that may log in, never of a superuser, a replication role or an expired password.
CREATE OR REPLACE FUNCTION novaops.pgbouncer_auth(role_name text)
RETURNS TABLE (usename name, passwd text)
LANGUAGE sql STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.rolname, r.rolpassword
    FROM pg_catalog.pg_authid r
    WHERE r.rolname = role_name
      AND r.rolcanlogin
      AND NOT r.rolsuper
      AND NOT r.rolreplication
      AND r.rolpassword IS NOT NULL
      AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > pg_catalog.now())
$$;
