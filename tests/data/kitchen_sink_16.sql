-- What PostgreSQL 16 added.

CREATE TABLE public.stored (a text STORAGE external COMPRESSION pglz, b text STORAGE plain);
CREATE SUBSCRIPTION upstairs CONNECTION 'host=upstairs.invalid' PUBLICATION a WITH (connect = false, slot_name = NONE, streaming = parallel, origin = none, password_required = false, run_as_owner = true);
