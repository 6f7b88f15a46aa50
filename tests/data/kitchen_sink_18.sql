-- What PostgreSQL 18 added.

CREATE TABLE public.virtual (
    a integer CONSTRAINT "a is there" NOT NULL,
    b integer GENERATED ALWAYS AS (a * 2),
    c integer GENERATED ALWAYS AS (a * 3) STORED,
    d integer CONSTRAINT unproven CHECK (d > 0) NOT ENFORCED,
    e integer CONSTRAINT never_null NOT NULL NO INHERIT
);
COMMENT ON CONSTRAINT "a is there" ON public.virtual IS 'Named';
ALTER TABLE public.virtual ADD COLUMN f integer, ADD CONSTRAINT later NOT NULL f NOT VALID;
CREATE TABLE public.virtual_child (CONSTRAINT own_name NOT NULL a) INHERITS (public.virtual);
CREATE TABLE public.booking (
    room int4range, during daterange,
    PRIMARY KEY (room, during WITHOUT OVERLAPS)
);
CREATE TABLE public.guest (
    room int4range, during daterange, name int4range,
    UNIQUE (name, during WITHOUT OVERLAPS),
    FOREIGN KEY (room, PERIOD during) REFERENCES public.booking (room, PERIOD during)
);
CREATE TABLE public.unproven_reference (a integer REFERENCES public.lids NOT ENFORCED);
CREATE TABLE public.part_reference (a integer, b integer) PARTITION BY LIST (b);
CREATE TABLE public.part_reference_1 PARTITION OF public.part_reference FOR VALUES IN (1);
ALTER TABLE public.part_reference ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES public.lids NOT VALID;
CREATE COLLATION public.folded (provider = builtin, locale = 'PG_UNICODE_FAST');
CREATE PUBLICATION generated FOR TABLE public.virtual WITH (publish_generated_columns = stored);
ALTER DEFAULT PRIVILEGES FOR ROLE kitchen_writer GRANT SELECT ON LARGE OBJECTS TO kitchen_reader;
