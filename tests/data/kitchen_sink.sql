-- At least one of everything that PostgreSQL 15 can hold. Needs the roles kitchen_reader,
-- kitchen_writer and "Kitchen Owner", and the tablespace kitchen_space.

-- Schemas ---------------------------------------------------------------------------------------

CREATE SCHEMA inventory;
COMMENT ON SCHEMA inventory IS 'What is in the cupboards';
GRANT USAGE ON SCHEMA inventory TO kitchen_reader, kitchen_writer WITH GRANT OPTION;
CREATE SCHEMA "Odd ""Names"", 100%";
CREATE SCHEMA owned AUTHORIZATION "Kitchen Owner";
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO kitchen_writer;

ALTER DEFAULT PRIVILEGES FOR ROLE kitchen_writer GRANT SELECT ON TABLES TO kitchen_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE kitchen_writer IN SCHEMA inventory GRANT ALL ON SEQUENCES TO kitchen_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE kitchen_writer REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE kitchen_writer REVOKE USAGE ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE kitchen_writer GRANT USAGE ON SCHEMAS TO kitchen_reader WITH GRANT OPTION;

-- Collations, conversions, languages, access methods ----------------------------------------------

CREATE COLLATION public.german (provider = libc, locale = 'C');
CREATE COLLATION public.plain (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX');
COMMENT ON COLLATION public.german IS 'As in the phone book';
CREATE CONVERSION public.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION public.latin_default FOR 'LATIN2' TO 'UTF8' FROM iso8859_to_utf8;
COMMENT ON CONVERSION public.latin IS 'Western';
CREATE TRUSTED LANGUAGE recipe HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
COMMENT ON LANGUAGE recipe IS 'plpgsql by another name';
GRANT USAGE ON LANGUAGE recipe TO kitchen_writer;
CREATE ACCESS METHOD shelf TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD drawer TYPE INDEX HANDLER bthandler;
COMMENT ON ACCESS METHOD shelf IS 'A heap by another name';

-- Types -------------------------------------------------------------------------------------------

CREATE TYPE public.taste AS ENUM ('sweet', 'sour', 'it''s "bitter"', '');
COMMENT ON TYPE public.taste IS 'On the tongue';
GRANT USAGE ON TYPE public.taste TO kitchen_reader;
REVOKE USAGE ON TYPE public.taste FROM PUBLIC;
CREATE TYPE public.empty_enum AS ENUM ();
CREATE TYPE public.measure AS (amount numeric(10, 2), "Unit" text COLLATE public.german, tastes public.taste[]);
COMMENT ON TYPE public.measure IS 'An amount';
COMMENT ON COLUMN public.measure."Unit" IS 'g, ml, pieces';
CREATE TYPE public.nothing AS ();
CREATE TYPE public.nested AS (inner_measure public.measure, measures public.measure[]);
CREATE TYPE public.temperature AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = public.temperatures);
CREATE TYPE public.words AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION public.taste_gap(a date, b date) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT (a - b)::float8';
CREATE TYPE public.days AS RANGE (subtype = date, subtype_diff = public.taste_gap);
COMMENT ON TYPE public.temperature IS 'From, to';
CREATE TYPE public.shell;
COMMENT ON TYPE public.spice IS 'An integer by another name';
CREATE DOMAIN public.email AS text COLLATE "C" DEFAULT 'nobody@example.org' NOT NULL
    CONSTRAINT has_at CHECK (VALUE LIKE '%@%') CONSTRAINT short CHECK (length(VALUE) < 200);
COMMENT ON DOMAIN public.email IS 'An address';
COMMENT ON CONSTRAINT has_at ON DOMAIN public.email IS 'The least';
ALTER DOMAIN public.email ADD CONSTRAINT lower_case CHECK (VALUE = lower(VALUE)) NOT VALID;
GRANT USAGE ON DOMAIN public.email TO kitchen_reader WITH GRANT OPTION;
CREATE DOMAIN public.work_email AS public.email CHECK (VALUE NOT LIKE '%@home');
CREATE DOMAIN public.grid AS numeric(5, 2)[];

-- Casts, operators ----------------------------------------------------------------------------------

CREATE CAST (public.spice AS int4) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (int4 AS public.spice) WITHOUT FUNCTION;
CREATE FUNCTION public.spice_to_taste(public.spice) RETURNS public.taste LANGUAGE sql IMMUTABLE AS $$SELECT 'sour'::public.taste$$;
CREATE CAST (public.spice AS public.taste) WITH FUNCTION public.spice_to_taste(public.spice) AS ASSIGNMENT;
CREATE CAST (public.measure AS json) WITH INOUT;
COMMENT ON CAST (public.spice AS public.taste) IS 'Always sour';
CREATE FUNCTION public.spice_lt(public.spice, public.spice) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION public.spice_le(public.spice, public.spice) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le';
CREATE FUNCTION public.spice_eq(public.spice, public.spice) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION public.spice_ge(public.spice, public.spice) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge';
CREATE FUNCTION public.spice_gt(public.spice, public.spice) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';
CREATE FUNCTION public.spice_cmp(public.spice, public.spice) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE FUNCTION public.spice_sort(internal) RETURNS void LANGUAGE internal IMMUTABLE STRICT AS 'btint4sortsupport';
CREATE FUNCTION public.spice_hash(public.spice) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'hashint4';
CREATE OPERATOR public.< (leftarg = public.spice, rightarg = public.spice, function = public.spice_lt, commutator = OPERATOR(public.>), negator = OPERATOR(public.>=), restrict = scalarltsel, join = scalarltjoinsel);
CREATE OPERATOR public.<= (leftarg = public.spice, rightarg = public.spice, function = public.spice_le, commutator = OPERATOR(public.>=), negator = OPERATOR(public.>));
CREATE OPERATOR public.= (leftarg = public.spice, rightarg = public.spice, function = public.spice_eq, commutator = OPERATOR(public.=), restrict = eqsel, join = eqjoinsel, hashes, merges);
CREATE OPERATOR public.>= (leftarg = public.spice, rightarg = public.spice, function = public.spice_ge, commutator = OPERATOR(public.<=), negator = OPERATOR(public.<));
CREATE OPERATOR public.> (leftarg = public.spice, rightarg = public.spice, function = public.spice_gt, commutator = OPERATOR(public.<), negator = OPERATOR(public.<=));
CREATE OPERATOR public.!! (rightarg = public.spice, function = public.spice_to_taste);
COMMENT ON OPERATOR public.= (public.spice, public.spice) IS 'The same';
COMMENT ON OPERATOR public.!! (NONE, public.spice) IS 'Prefix';
CREATE OPERATOR FAMILY public.spice_family USING btree;
COMMENT ON OPERATOR FAMILY public.spice_family USING btree IS 'Ordered';
CREATE OPERATOR CLASS public.spice_ops DEFAULT FOR TYPE public.spice USING btree FAMILY public.spice_family AS
    OPERATOR 1 public.<, OPERATOR 2 public.<=, OPERATOR 3 public.=, OPERATOR 4 public.>=, OPERATOR 5 public.>,
    FUNCTION 1 public.spice_cmp(public.spice, public.spice), FUNCTION 2 public.spice_sort(internal);
COMMENT ON OPERATOR CLASS public.spice_ops USING btree IS 'Ordered';
CREATE OPERATOR CLASS public.spice_hashed DEFAULT FOR TYPE public.spice USING hash AS
    OPERATOR 1 public.=, FUNCTION 1 public.spice_hash(public.spice);
CREATE FUNCTION public.spice_int_eq(public.spice, int4) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION public.spice_int_cmp(public.spice, int4) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR public.= (leftarg = public.spice, rightarg = int4, function = public.spice_int_eq);
ALTER OPERATOR FAMILY public.spice_family USING btree ADD
    OPERATOR 3 public.= (public.spice, int4), FUNCTION 1 (public.spice, int4) public.spice_int_cmp(public.spice, int4);
CREATE OPERATOR CLASS public.drawer_ops DEFAULT FOR TYPE int4 USING drawer AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int4, int4);

-- Functions, procedures, aggregates -------------------------------------------------------------------

CREATE FUNCTION public.stir(IN a integer, INOUT b text DEFAULT 'it''s', OUT c numeric, VARIADIC d integer[] DEFAULT '{}')
    LANGUAGE plpgsql STABLE LEAKPROOF CALLED ON NULL INPUT SECURITY DEFINER PARALLEL RESTRICTED COST 10
    SET search_path = pg_catalog, public SET work_mem = '8MB' SET "kitchen.note" = 'a, ''b'''
    AS $f$BEGIN c := a; -- $$ and ' and \
END$f$;
COMMENT ON FUNCTION public.stir(integer, text, integer[]) IS 'Round and round';
REVOKE EXECUTE ON FUNCTION public.stir(integer, text, integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.stir(integer, text, integer[]) TO kitchen_writer WITH GRANT OPTION;
CREATE FUNCTION public.stir(text) RETURNS SETOF text LANGUAGE sql IMMUTABLE STRICT ROWS 7 PARALLEL SAFE AS 'SELECT $1';
CREATE FUNCTION public.cook(minutes integer = 5, "Degrees" float8 = NULL) RETURNS TABLE (step integer, "What" text) LANGUAGE sql
    BEGIN ATOMIC
        SELECT minutes, CASE WHEN "Degrees" > 100 THEN 'hot' ELSE 'warm' END;
        SELECT 1, 'x'::text AS text;
    END;
CREATE FUNCTION public.double_it(x integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN x * 2;
CREATE FUNCTION public.anything(anyelement, anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.kneel() RETURNS void LANGUAGE recipe AS 'BEGIN NULL; END';
CREATE FUNCTION public.window_like(integer) RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE FUNCTION public.estimate(internal) RETURNS internal LANGUAGE internal STRICT AS 'array_unnest_support';
CREATE FUNCTION public.supported(anyarray) RETURNS SETOF anyelement LANGUAGE internal IMMUTABLE STRICT ROWS 100 SUPPORT public.estimate AS 'array_unnest';
CREATE FUNCTION public.on_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION public.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION public.dotted("a.b" integer, "Weiß" text) RETURNS text LANGUAGE sql AS $$SELECT "Weiß" || 'é\n%'$$;
CREATE PROCEDURE public.clean_up(INOUT a integer, b text DEFAULT 'x') LANGUAGE plpgsql SECURITY DEFINER SET role = kitchen_writer AS 'BEGIN a := 1; END';
COMMENT ON PROCEDURE public.clean_up(integer, text) IS 'Afterwards';
GRANT EXECUTE ON PROCEDURE public.clean_up(integer, text) TO kitchen_reader;
CREATE AGGREGATE public.total(integer) (sfunc = int4pl, stype = integer, initcond = '0', combinefunc = int4pl, parallel = safe, msfunc = int4pl, minvfunc = int4mi, mstype = integer, minitcond = '0');
COMMENT ON AGGREGATE public.total(integer) IS 'All of it';
CREATE FUNCTION public.spice_least(public.spice, public.spice) RETURNS public.spice LANGUAGE internal IMMUTABLE STRICT AS 'int4smaller';
CREATE AGGREGATE public.least_of(public.spice) (sfunc = public.spice_least, stype = public.spice, sortop = OPERATOR(public.<));
CREATE AGGREGATE public.middle(float8 ORDER BY anyelement) (sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra);
CREATE AGGREGATE public.place(VARIADIC "any" ORDER BY VARIADIC "any") (sfunc = ordered_set_transition_multi, stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical);
GRANT EXECUTE ON FUNCTION public.total(integer) TO kitchen_reader;

-- Functions of the right shape (internal → internal, internal → int2) that every server has.
CREATE TRANSFORM FOR smallint LANGUAGE recipe (FROM SQL WITH FUNCTION dsimple_init(internal), TO SQL WITH FUNCTION int2recv(internal));
COMMENT ON TRANSFORM FOR smallint LANGUAGE recipe IS 'In and out';
CREATE FUNCTION public.transformed(smallint) RETURNS smallint LANGUAGE recipe TRANSFORM FOR TYPE smallint AS 'BEGIN RETURN 1; END';

-- Text search ---------------------------------------------------------------------------------------------

CREATE TEXT SEARCH PARSER public.own_parser (start = prsd_start, gettoken = prsd_nexttoken, "end" = prsd_end, lextypes = prsd_lextype, headline = prsd_headline);
CREATE TEXT SEARCH TEMPLATE public.own_template (init = dsimple_init, lexize = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY public.own_words (template = public.own_template, stopwords = 'english', accept = false);
CREATE TEXT SEARCH CONFIGURATION public.own_search (parser = public.own_parser);
ALTER TEXT SEARCH CONFIGURATION public.own_search ADD MAPPING FOR asciiword, word WITH public.own_words, english_stem;
CREATE TEXT SEARCH CONFIGURATION public.copied (copy = pg_catalog.english);
COMMENT ON TEXT SEARCH PARSER public.own_parser IS 'p';
COMMENT ON TEXT SEARCH TEMPLATE public.own_template IS 't';
COMMENT ON TEXT SEARCH DICTIONARY public.own_words IS 'd';
COMMENT ON TEXT SEARCH CONFIGURATION public.own_search IS 'c';

-- Sequences -------------------------------------------------------------------------------------------------

CREATE SEQUENCE public.counter AS smallint INCREMENT BY -3 MINVALUE -100 MAXVALUE 50 START WITH 20 CACHE 4 CYCLE;
COMMENT ON SEQUENCE public.counter IS 'Backwards';
GRANT USAGE, SELECT ON SEQUENCE public.counter TO kitchen_reader;
CREATE UNLOGGED SEQUENCE public.light;

-- Tables ----------------------------------------------------------------------------------------------------

CREATE TABLE inventory.shelves (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5 MINVALUE 10 MAXVALUE 10000 CACHE 2 CYCLE) PRIMARY KEY,
    small_id smallint GENERATED BY DEFAULT AS IDENTITY,
    number serial,
    label varchar(40) COLLATE public.german DEFAULT 'it''s \ "new" 100%' NOT NULL,
    added timestamptz(3) DEFAULT CURRENT_TIMESTAMP,
    price numeric(12, 4) DEFAULT 1.50 CHECK (price > 0),
    total numeric GENERATED ALWAYS AS (price * 2) STORED,
    tags text[] DEFAULT ARRAY['a', 'b']::text[],
    taste public.taste DEFAULT 'sweet',
    amount public.measure DEFAULT ROW(1, 'g', '{sweet}')::public.measure,
    heat public.temperature,
    heats public.temperatures,
    spice public.spice,
    contact public.work_email,
    document jsonb DEFAULT '{"a": [1, 2]}' CONSTRAINT "is an object" CHECK (jsonb_typeof(document) = 'object') NO INHERIT,
    code char(3), bits bit(4), flexible bit varying(9), span interval day to second(2), at_time time(0), blob bytea,
    address inet, point point, key uuid DEFAULT gen_random_uuid(), search tsvector, xml_text xml, "Mixed Case" text, "a.b" integer, "select" integer,
    UNIQUE NULLS NOT DISTINCT (label, taste) INCLUDE (price) WITH (fillfactor = 80) USING INDEX TABLESPACE kitchen_space,
    CONSTRAINT one_at_a_time EXCLUDE USING gist (heat WITH &&, point(0, 0) WITH ~=) WHERE (price > 1) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT wide_status CHECK (label IN ('a', 'b') OR label = ANY (ARRAY['c'::varchar, 'd'::varchar])),
    CONSTRAINT "unique %" UNIQUE (number) DEFERRABLE
) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false, parallel_workers = 2);
COMMENT ON TABLE inventory.shelves IS E'It''s a shelf:\n\ttwo lines, \\ and %';
COMMENT ON COLUMN inventory.shelves.label IS 'On the front';
COMMENT ON COLUMN inventory.shelves."a.b" IS 'Dotted';
COMMENT ON CONSTRAINT "is an object" ON inventory.shelves IS 'No arrays';
COMMENT ON CONSTRAINT shelves_pkey ON inventory.shelves IS 'Key';
COMMENT ON INDEX inventory.shelves_pkey IS 'Index of the key';
ALTER TABLE inventory.shelves ALTER label SET STORAGE external, ALTER tags SET STORAGE main, ALTER document SET COMPRESSION pglz,
    ALTER price SET STATISTICS 500, ALTER price SET (n_distinct = -0.5, n_distinct_inherited = 3);
ALTER TABLE inventory.shelves CLUSTER ON shelves_pkey;
ALTER TABLE inventory.shelves REPLICA IDENTITY USING INDEX shelves_pkey;
ALTER TABLE inventory.shelves ADD CONSTRAINT not_checked CHECK (code <> 'zzz') NOT VALID;
GRANT SELECT, INSERT, UPDATE ON inventory.shelves TO kitchen_writer WITH GRANT OPTION;
GRANT SELECT (label, "Mixed Case"), REFERENCES (id) ON inventory.shelves TO kitchen_reader;
GRANT TRIGGER ON inventory.shelves TO PUBLIC;
REVOKE TRUNCATE ON inventory.shelves FROM CURRENT_USER;

CREATE TABLE public.jars (
    shelf_id bigint NOT NULL,
    jar_no integer DEFAULT nextval('public.counter'),
    lid_id integer,
    "order" integer DEFAULT public.double_it(2),
    PRIMARY KEY (shelf_id, jar_no),
    CONSTRAINT jar_shelf FOREIGN KEY (shelf_id) REFERENCES inventory.shelves ON UPDATE CASCADE ON DELETE RESTRICT
);
CREATE TABLE public.lids (
    id integer PRIMARY KEY,
    shelf_id bigint,
    jar_no integer,
    FOREIGN KEY (shelf_id, jar_no) REFERENCES public.jars MATCH FULL DEFERRABLE INITIALLY DEFERRED,
    self integer REFERENCES public.lids ON DELETE SET NULL
);
ALTER TABLE public.jars ADD CONSTRAINT jar_lid FOREIGN KEY (lid_id) REFERENCES public.lids ON DELETE SET DEFAULT NOT VALID;
CREATE TABLE public.scraps (shelf bigint, jar integer, FOREIGN KEY (shelf, jar) REFERENCES public.jars ON DELETE SET NULL (jar));
COMMENT ON CONSTRAINT jar_shelf ON public.jars IS 'Where it stands';
ALTER SEQUENCE public.counter OWNED BY public.jars."order";
ALTER TABLE public.jars OWNER TO "Kitchen Owner";
ALTER TABLE public.jars REPLICA IDENTITY FULL;
ALTER TABLE public.lids REPLICA IDENTITY NOTHING;
CREATE UNLOGGED TABLE public.crumbs (a integer, b integer) TABLESPACE kitchen_space;
CREATE TABLE public.on_a_shelf (a integer) USING shelf;
CREATE TABLE public.no_columns ();
CREATE TABLE public.of_measure OF public.measure (amount WITH OPTIONS DEFAULT 1 NOT NULL, PRIMARY KEY ("Unit"));
CREATE TABLE "Odd ""Names"", 100%"."select" ("Col ""quoted""" integer PRIMARY KEY, "trailing " text, "1st" text, "naïve 😀" text, "back\slash" text);
CREATE INDEX "Index ""quoted""" ON "Odd ""Names"", 100%"."select" ("trailing ", "naïve 😀");
COMMENT ON COLUMN "Odd ""Names"", 100%"."select"."naïve 😀" IS '😀';
GRANT SELECT ON "Odd ""Names"", 100%"."select" TO "Kitchen Owner";

-- Inheritance and partitions --------------------------------------------------------------------------------

CREATE TABLE public.tool (id integer NOT NULL, name text DEFAULT 'tool', CONSTRAINT positive CHECK (id > 0), CONSTRAINT only_here CHECK (id < 100) NO INHERIT);
CREATE TABLE public.metal (alloy text, name text);
CREATE TABLE public.knife (length integer, id integer, name text DEFAULT 'knife', CHECK (length > 0)) INHERITS (public.tool, public.metal);
CREATE TABLE public.carving_knife () INHERITS (public.knife);

CREATE TABLE public.meal (id bigint, day date NOT NULL, guest text, cost numeric DEFAULT 1, PRIMARY KEY (id, day), CHECK (cost >= 0)) PARTITION BY RANGE (day);
CREATE TABLE public.meal_old PARTITION OF public.meal (cost DEFAULT 2) FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE public.meal_new PARTITION OF public.meal FOR VALUES FROM ('2020-01-01') TO (MAXVALUE) PARTITION BY LIST (id);
CREATE TABLE public.meal_ann PARTITION OF public.meal_new FOR VALUES IN (1, 2) WITH (fillfactor = 50);
CREATE TABLE public.meal_other PARTITION OF public.meal_new DEFAULT PARTITION BY HASH (day);
CREATE TABLE public.meal_other_0 PARTITION OF public.meal_other FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.meal_attached (day date NOT NULL, id bigint NOT NULL, extra_dropped integer, guest text, cost numeric);
ALTER TABLE public.meal_attached DROP COLUMN extra_dropped;
ALTER TABLE public.meal_attached ADD CONSTRAINT meal_cost_check CHECK (cost >= 0);
ALTER TABLE public.meal_other ATTACH PARTITION public.meal_attached FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX meal_guest ON public.meal (guest DESC NULLS LAST, lower(guest) text_pattern_ops);
COMMENT ON INDEX public.meal_guest IS 'By guest';
CREATE INDEX meal_old_only ON public.meal_old (guest) WHERE cost > 5;
CREATE TABLE public.dish (meal_id bigint, day date, FOREIGN KEY (meal_id, day) REFERENCES public.meal) PARTITION BY LIST (meal_id);
CREATE TABLE public.dish_1 PARTITION OF public.dish FOR VALUES IN (1);
CREATE TABLE public.by_name (a integer, guest text) PARTITION BY LIST (lower(guest));
CREATE TABLE public.by_name_ann PARTITION OF public.by_name FOR VALUES IN ('ann', NULL);
CREATE TABLE public.by_two (a integer, b text COLLATE "C") PARTITION BY RANGE (a, b COLLATE "POSIX" text_ops);
CREATE TABLE public.by_two_1 PARTITION OF public.by_two FOR VALUES FROM (1, 'a') TO (1, 'z');

-- Indexes and statistics --------------------------------------------------------------------------------------

CREATE INDEX shelves_added ON inventory.shelves (added DESC, (price * 2)) INCLUDE (code) WITH (fillfactor = 60) TABLESPACE kitchen_space WHERE price IS NOT NULL;
CREATE UNIQUE INDEX shelves_code ON inventory.shelves (code bpchar_pattern_ops) NULLS NOT DISTINCT;
CREATE INDEX shelves_document ON inventory.shelves USING gin (document jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX shelves_point ON inventory.shelves USING gist (point) WITH (buffering = on);
CREATE INDEX shelves_place ON inventory.shelves USING spgist (point);
CREATE INDEX shelves_brin ON inventory.shelves USING brin (added timestamptz_minmax_multi_ops (values_per_range = 16)) WITH (pages_per_range = 4, autosummarize = on);
CREATE INDEX shelves_hash ON inventory.shelves USING hash (label);
CREATE INDEX shelves_spice ON inventory.shelves (spice public.spice_ops);
CREATE INDEX shelves_search ON inventory.shelves USING gist (search tsvector_ops (siglen = 100));
CREATE INDEX shelves_coll ON inventory.shelves (label COLLATE "C", ("Mixed Case" || 'x') COLLATE public.german);
ALTER INDEX inventory.shelves_added ALTER COLUMN 2 SET STATISTICS 300;
COMMENT ON INDEX inventory.shelves_added IS 'Latest first';
CREATE STATISTICS public.crumb_statistics (ndistinct, dependencies, mcv) ON a, b FROM public.crumbs;
CREATE STATISTICS public.crumb_expression ON (a + b), (a * 2), b FROM public.crumbs;
CREATE STATISTICS public.crumb_single ON (a % 7) FROM public.crumbs;
ALTER STATISTICS public.crumb_statistics SET STATISTICS 42;
COMMENT ON STATISTICS public.crumb_statistics IS 'Related';

-- Views -------------------------------------------------------------------------------------------------------

CREATE VIEW public.labels (id, label, "Kind of") WITH (security_barrier, security_invoker = true) AS
    SELECT id, label, CASE WHEN label IN ('a', 'b') THEN 'short' END FROM inventory.shelves WHERE id > 0 WITH CASCADED CHECK OPTION;
ALTER VIEW public.labels ALTER COLUMN label SET DEFAULT 'x';
COMMENT ON VIEW public.labels IS 'Only the labels';
COMMENT ON COLUMN public.labels."Kind of" IS 'Length';
GRANT SELECT ON public.labels TO kitchen_reader;
GRANT UPDATE (label) ON public.labels TO kitchen_writer;
CREATE VIEW public.over_labels WITH (check_option = local) AS SELECT * FROM public.labels WHERE label > 'a';
CREATE RECURSIVE VIEW public.numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 5;
CREATE VIEW public.grouped AS SELECT id, label, count(*) OVER w AS n FROM inventory.shelves GROUP BY id WINDOW w AS (ORDER BY label);
CREATE MATERIALIZED VIEW public.summary (taste, n) WITH (fillfactor = 90) AS SELECT taste, count(*) FROM inventory.shelves GROUP BY taste WITH DATA;
CREATE UNIQUE INDEX summary_taste ON public.summary (taste);
ALTER MATERIALIZED VIEW public.summary CLUSTER ON summary_taste;
ALTER MATERIALIZED VIEW public.summary ALTER COLUMN n SET STATISTICS 7;
COMMENT ON MATERIALIZED VIEW public.summary IS 'Counted';
COMMENT ON COLUMN public.summary.n IS 'How many';
GRANT SELECT ON public.summary TO kitchen_reader;
CREATE MATERIALIZED VIEW public.unpopulated TABLESPACE kitchen_space AS SELECT * FROM public.summary WITH NO DATA;
CREATE VIEW public.over_summary AS SELECT s.* FROM public.summary s JOIN public.unpopulated USING (taste);

-- Rules, triggers, policies -----------------------------------------------------------------------------------

CREATE RULE no_crumbs AS ON DELETE TO public.crumbs WHERE old.a > 1 DO INSTEAD NOTHING;
CREATE RULE more AS ON INSERT TO public.crumbs DO ALSO (INSERT INTO public.on_a_shelf VALUES (new.a); NOTIFY crumbs; DELETE FROM public.on_a_shelf WHERE a = new.b);
CREATE RULE through AS ON UPDATE TO public.grouped DO INSTEAD UPDATE inventory.shelves SET label = new.label WHERE id = old.id RETURNING id, label, 0::bigint;
COMMENT ON RULE more ON public.crumbs IS 'There too';
ALTER TABLE public.crumbs DISABLE RULE no_crumbs;
ALTER TABLE public.crumbs ENABLE ALWAYS RULE more;
CREATE TRIGGER touched BEFORE INSERT OR UPDATE OF label, price ON inventory.shelves FOR EACH ROW WHEN (new.label <> 'it''s') EXECUTE FUNCTION public.on_change('a', 'it''s', '\', '');
CREATE TRIGGER whole AFTER UPDATE ON inventory.shelves REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION public.on_change();
CREATE TRIGGER emptied AFTER TRUNCATE ON inventory.shelves EXECUTE FUNCTION public.on_change();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON public.jars FROM public.lids DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.on_change();
CREATE TRIGGER instead INSTEAD OF DELETE ON public.grouped FOR EACH ROW EXECUTE FUNCTION public.on_change();
CREATE TRIGGER "On % Meals" AFTER INSERT ON public.meal FOR EACH ROW EXECUTE FUNCTION public.on_change();
COMMENT ON TRIGGER touched ON inventory.shelves IS 'Every time';
ALTER TABLE inventory.shelves ENABLE ALWAYS TRIGGER touched;
ALTER TABLE inventory.shelves ENABLE REPLICA TRIGGER whole;
ALTER TABLE inventory.shelves DISABLE TRIGGER emptied;
ALTER TABLE public.meal_old DISABLE TRIGGER "On % Meals";
CREATE POLICY own ON inventory.shelves AS RESTRICTIVE FOR UPDATE TO kitchen_writer, kitchen_reader USING (label = CURRENT_USER) WITH CHECK (price < 100);
CREATE POLICY "all of it" ON inventory.shelves;
CREATE POLICY looked_up ON public.jars FOR SELECT USING (EXISTS (SELECT FROM inventory.shelves s WHERE s.id = shelf_id));
COMMENT ON POLICY own ON inventory.shelves IS 'Mine';
ALTER TABLE inventory.shelves ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.jars ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE SEQUENCE', 'DROP SEQUENCE') EXECUTE FUNCTION public.on_ddl();
COMMENT ON EVENT TRIGGER watch IS 'Sequences';
ALTER EVENT TRIGGER watch DISABLE;

-- Cycles: a function over a table's row type in its own check, a view over a function over the view -----------

CREATE TABLE public.judged (id integer, score integer);
CREATE FUNCTION public.judge(public.judged) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.score > 0';
ALTER TABLE public.judged ADD CONSTRAINT judged_well CHECK (public.judge(judged));
CREATE VIEW public.circle AS SELECT 1 AS a, 'x'::text AS b;
CREATE FUNCTION public.round() RETURNS SETOF public.circle LANGUAGE sql BEGIN ATOMIC SELECT a, b FROM public.circle; END;
CREATE OR REPLACE VIEW public.circle AS SELECT 1 AS a, 'x'::text AS b UNION SELECT r.a, r.b FROM (VALUES (1)) v, LATERAL (SELECT a, b FROM public.round()) r;

-- Foreign data ------------------------------------------------------------------------------------------------

CREATE FOREIGN DATA WRAPPER market VALIDATOR postgresql_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER market IS 'Outside';
GRANT USAGE ON FOREIGN DATA WRAPPER market TO kitchen_writer WITH GRANT OPTION;
CREATE FOREIGN DATA WRAPPER bare;
CREATE SERVER stall TYPE 'fruit' VERSION '1.2' FOREIGN DATA WRAPPER bare OPTIONS ("Host name" 'it''s', port '5');
COMMENT ON SERVER stall IS 'On the corner';
GRANT USAGE ON FOREIGN SERVER stall TO kitchen_reader;
CREATE USER MAPPING FOR PUBLIC SERVER stall;
CREATE USER MAPPING FOR kitchen_reader SERVER stall OPTIONS (user 'x', note 'it''s y');
CREATE FOREIGN TABLE public.fruit (
    name text OPTIONS (column_name 'Name') COLLATE "C" DEFAULT 'apple' NOT NULL,
    weight integer CONSTRAINT heavy CHECK (weight > 0),
    twice integer GENERATED ALWAYS AS (weight * 2) STORED
) SERVER stall OPTIONS (schema_name 'it''s', "Quoted" 'q');
COMMENT ON FOREIGN TABLE public.fruit IS 'Fresh';
COMMENT ON COLUMN public.fruit.name IS 'In Latin';
ALTER FOREIGN TABLE public.fruit ALTER weight SET STATISTICS 12;
GRANT SELECT ON public.fruit TO kitchen_reader;
CREATE FOREIGN TABLE public.dish_2 PARTITION OF public.by_two FOR VALUES FROM (2, 'a') TO (3, 'a') SERVER stall;
CREATE TRIGGER fetched AFTER INSERT ON public.fruit FOR EACH ROW EXECUTE FUNCTION public.on_change();

-- Replication -------------------------------------------------------------------------------------------------

CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, truncate');
CREATE PUBLICATION nothing_at_all WITH (publish = '');
CREATE PUBLICATION selected FOR TABLE inventory.shelves (id, label, price) WHERE (price > 3), public.meal WITH (publish_via_partition_root = true);
CREATE PUBLICATION by_schema FOR TABLES IN SCHEMA inventory, "Odd ""Names"", 100%";
COMMENT ON PUBLICATION selected IS 'A few';
CREATE SUBSCRIPTION neighbours CONNECTION 'host=neighbour.invalid dbname=kitchen user=x' PUBLICATION a, "B" WITH (connect = false, slot_name = NONE, binary = true, streaming = true, synchronous_commit = 'local', disable_on_error = true);
COMMENT ON SUBSCRIPTION neighbours IS 'Next door';
