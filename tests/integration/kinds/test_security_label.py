"""Security labels of everything that takes them (SECURITY LABEL), as any provider would set them."""

from __future__ import annotations

import pytest

from novaops.planning.diff import Comparison
from novaops.planning.draft import draft
from tests.integration.kinds.conftest import Connection, passing
from tests.integration.kinds.converge import EVERYTHING, converge

OBJECTS = """
    CREATE TABLE t (a int);
    CREATE VIEW v AS SELECT a FROM t;
    CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
    CREATE FOREIGN DATA WRAPPER w;
    CREATE SERVER s FOREIGN DATA WRAPPER w;
    CREATE FOREIGN TABLE ft (a int) SERVER s;
    CREATE SEQUENCE q;
    CREATE DOMAIN d AS int;
    CREATE TYPE c AS (f int);
    CREATE FUNCTION f(int) RETURNS int LANGUAGE internal AS 'int4abs';
    CREATE PROCEDURE p(int, OUT x int) LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE g(int) (sfunc = int4pl, stype = int);
    CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION e();
    CREATE LANGUAGE l HANDLER plpgsql_call_handler;
    CREATE PUBLICATION pub;
    CREATE SCHEMA n;
"""
TARGETS = [
    "TABLE public.t",
    "COLUMN public.t.a",
    "VIEW public.v",
    "COLUMN public.v.a",
    "MATERIALIZED VIEW public.m",
    "COLUMN public.m.a",
    "FOREIGN TABLE public.ft",
    "COLUMN public.ft.a",
    "SEQUENCE public.q",
    "DOMAIN public.d",
    "TYPE public.c",
    "COLUMN public.c.f",
    "FUNCTION public.f(integer)",
    "PROCEDURE public.p(IN integer, OUT x integer)",
    "AGGREGATE public.g(integer)",
    "EVENT TRIGGER et",
    "LANGUAGE l",
    "PUBLICATION pub",
    "SCHEMA n",
]
LABELLED = f"""
    {OBJECTS}
    INSERT INTO pg_seclabel
    SELECT objid, classid, objsubid, 'it', 'secret' FROM (
        SELECT 'pg_class'::regclass::oid, a.attrelid, a.attnum::int
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname IN ('a', 'f') AND c.relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'pg_class'::regclass, oid, 0 FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind <> 'c'
        UNION ALL SELECT 'pg_type'::regclass, oid, 0 FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typname IN ('d', 'c')
        UNION ALL SELECT 'pg_proc'::regclass, oid, 0 FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname <> 'e'
        UNION ALL SELECT 'pg_event_trigger'::regclass, oid, 0 FROM pg_event_trigger
        UNION ALL SELECT 'pg_language'::regclass, oid, 0 FROM pg_language WHERE lanname = 'l'
        UNION ALL SELECT 'pg_publication'::regclass, oid, 0 FROM pg_publication
        UNION ALL SELECT 'pg_namespace'::regclass, oid, 0 FROM pg_namespace WHERE nspname = 'n'
    ) AS labelled (classid, objid, objsubid)
"""


def written(database: Connection, old: str, new: str) -> set[str]:
    """The statements about labels on the way from one state to the other."""
    with passing(database, old) as live:
        pass
    with passing(database, new) as desired:
        pass
    made = draft(live, desired, EVERYTHING, Comparison())
    return {w.step.sql for w in made.written if w.step.sql.startswith("SECURITY LABEL")}


@pytest.mark.parametrize(
    ("old", "new", "label"),
    [
        ("SELECT", LABELLED, "'secret'"),
        (OBJECTS, LABELLED, "'secret'"),
        (LABELLED.replace("secret", "it''s public"), LABELLED, "'secret'"),
        (LABELLED, OBJECTS, "NULL"),
    ],
)
def test_every_object_that_takes_one(database: Connection, old: str, new: str, label: str) -> None:
    assert written(database, old, new) == {f"SECURITY LABEL FOR it ON {on} IS {label}" for on in TARGETS}


def test_of_a_subscription(database: Connection) -> None:
    """It is kept with the labels of roles and databases."""
    made = (
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE)"
    )
    label = "INSERT INTO pg_shseclabel SELECT oid, 'pg_subscription'::regclass, 'it', 'secret' FROM pg_subscription"
    labelled = f"{made}; {label} WHERE subname = 's'".replace(
        "SELECT oid, 'pg_subscription'::regclass", "SELECT oid, 6100"
    )
    assert written(database, made, labelled) == {"SECURITY LABEL FOR it ON SUBSCRIPTION s IS 'secret'"}


@pytest.mark.extension("dummy_seclabel")
def test_with_a_provider(database: Connection) -> None:
    """It is a test module of PostgreSQL, src/test/modules/dummy_seclabel, that hardly any server has."""
    base = f"CREATE EXTENSION dummy_seclabel; {OBJECTS}"
    labels = {
        label: base + "".join(f"SECURITY LABEL FOR dummy ON {target} IS '{label}';" for target in TARGETS)
        for label in ("classified", "unclassified")
    }
    converge(database, "CREATE EXTENSION dummy_seclabel", labels["classified"], labels["unclassified"], base)
