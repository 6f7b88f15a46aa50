-- What PostgreSQL 17 added.

CREATE COLLATION public.built_in (provider = builtin, locale = 'C.UTF-8');
GRANT MAINTAIN ON public.stored TO kitchen_writer;
CREATE TABLE public.numbered (id bigint GENERATED ALWAYS AS IDENTITY, part integer) PARTITION BY LIST (part);
CREATE TABLE public.numbered_1 PARTITION OF public.numbered FOR VALUES IN (1);
CREATE TABLE public.rooms (room integer, part integer, EXCLUDE USING btree (room WITH =, part WITH =)) PARTITION BY LIST (part);
CREATE TABLE public.rooms_1 PARTITION OF public.rooms FOR VALUES IN (1);
CREATE TABLE public.on_shelves (a integer) PARTITION BY LIST (a) USING shelf;
CREATE TABLE public.on_shelves_1 PARTITION OF public.on_shelves FOR VALUES IN (1);
CREATE EVENT TRIGGER arrived ON login EXECUTE FUNCTION public.on_ddl();
ALTER EVENT TRIGGER arrived DISABLE;
CREATE FUNCTION public.now_here() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT JSON_VALUE('{"a": 1}'::jsonb, '$.a' RETURNING text); END;
