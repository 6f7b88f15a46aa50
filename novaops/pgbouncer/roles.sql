SELECT r.rolname, r.rolpassword, r.rolcanlogin, r.rolsuper, r.rolreplication,
       coalesce(r.rolvaliduntil < now(), false) AS expired
FROM pg_authid r
WHERE r.rolname = ANY (%s)
