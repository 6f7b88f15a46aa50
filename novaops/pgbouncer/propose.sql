-- Columns are read by name, so that an agents table with fewer of them serves as well.
SELECT a.name,
       coalesce(nullif(a.row ->> 'unix_user', ''), lower(a.name)) AS role,
       coalesce(a.row ->> 'status', 'active') = 'active' AS active,
       coalesce((a.row ->> 'persistent')::boolean, true)
           AND coalesce(a.row ->> 'context_type', 'persistent') <> 'ephemeral' AS persistent,
       coalesce(nullif(a.row ->> 'description', ''), nullif(a.row ->> 'role', ''), '') AS rationale,
       EXISTS (SELECT FROM pg_roles r WHERE r.rolname = coalesce(nullif(a.row ->> 'unix_user', ''), lower(a.name)))
           AS has_role
FROM (SELECT name::text, to_jsonb(agents) AS row FROM agents) a
ORDER BY a.name
