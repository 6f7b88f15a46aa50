"""Bodies of functions, checked when the declared state is complete."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from novaops.desired.build import Desired, build
from novaops.desired.shadow import created
from novaops.desired.split import File, Statement, split
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.kinds import registry

TABLE = "CREATE TABLE t (a int, d date);\n"


@pytest.fixture(scope="module")
def shadow(server_url: str) -> Iterator[psycopg.Connection[Any]]:
    with created(server_url) as connection:
        yield connection


@pytest.fixture(scope="module")
def plpgsql_check(shadow: psycopg.Connection[Any]) -> None:
    query = "SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check'"
    found = shadow.execute(query).fetchone()
    shadow.rollback()
    if found is None:
        pytest.skip("this server has no plpgsql_check")


def made(connection: psycopg.Connection[Any], text: str, **options: Any) -> Desired:
    statements = [p for p in split(File.of("x.sql", text)) if isinstance(p, Statement)]
    return build(connection, statements, readers=list(registry().values()), **options)


def found(connection: psycopg.Connection[Any], text: str, **options: Any) -> list[Diagnostic]:
    """What is said about the bodies, whether or not there are errors."""
    try:
        return [n for n in made(connection, text, **options).notices if n.severity == "warning"]
    except DiagnosticsError as error:
        return list(error.diagnostics)


def pointed_at(diagnostic: Diagnostic) -> str:
    """The text that the caret underlines."""
    start = diagnostic.source.column - 1
    return (diagnostic.text or "")[start : start + diagnostic.length]


def plpgsql(name: str, body: str, returns: str = "int") -> str:
    return f"CREATE FUNCTION {name} RETURNS {returns} LANGUAGE plpgsql AS $$ {body} $$;\n"


# -- what the validators of the languages refuse ---------------------------------------------------

BROKEN = """CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$
  SELECT a
    FROM "Gone"
$$;
CREATE FUNCTION q() RETURNS text LANGUAGE sql AS '
  SELECT ''it''''s'' || nope FROM later';
CREATE TABLE later (a int);
CREATE FUNCTION e() RETURNS text LANGUAGE sql AS E'SELECT \\'\\\\x\\' || nope';
CREATE PROCEDURE p() LANGUAGE plpgsql AS $body$
BEGIN
  UPDAT later SET a = 1;
END $body$;
CREATE FUNCTION r() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  x gone%ROWTYPE;
BEGIN RETURN 1; END $$;
CREATE FUNCTION s() RETURNS int LANGUAGE sql AS $$ SELECT 'a'::text $$;
DO $do$ BEGIN EXECUTE 'CREATE FUNCTION d() RETURNS int LANGUAGE sql AS ''SELECT 1 FROM gone'''; END $do$;
"""


@pytest.mark.parametrize("commit", [False, True])
def test_each_at_its_place(server_url: str, commit: bool) -> None:
    with created(server_url) as connection:
        errors = found(connection, BROKEN, commit=commit)
    assert [(d.source.line, d.code, pointed_at(d)) for d in errors] == [
        (3, "42P01", '"Gone"'),
        (6, "42703", "nope"),
        (8, "42703", "nope"),
        (11, "42601", "UPDAT"),
        (15, "42P01", "x"),
        (17, "42P13", (errors[5].text or "").rstrip(";")),
        (18, "42P01", (errors[6].text or "").rstrip(";")),
    ]
    assert all(d.severity == "error" and d.hint and "--check-functions off" in d.hint for d in errors)
    assert errors[0].message == 'function public.f(): relation "Gone" does not exist'
    assert errors[3].message.startswith("procedure public.p(): syntax error")
    assert errors[5].notes == ("Actual return type is text.",)
    assert errors[6].notes == ("in line 1 of the body, which this statement makes",)


RIGHT = [
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT a FROM later'; CREATE TABLE later (a int)",
    # under the path at its place, under its own, and under that of whoever calls it
    "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (x int); CREATE TABLE b.t (y int); SET search_path = b;"
    "CREATE FUNCTION a.f() RETURNS int LANGUAGE sql AS 'SELECT y FROM t'",
    "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (x int); CREATE TABLE b.t (y int); SET search_path = a;"
    "CREATE FUNCTION a.f() RETURNS int LANGUAGE sql SET search_path = b, pg_temp AS 'SELECT y FROM t'",
    "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (x int); SET search_path = '';"
    "CREATE FUNCTION b.f() RETURNS int LANGUAGE sql AS 'SELECT x FROM t'",
    "CREATE FUNCTION f() RETURNS date LANGUAGE sql SET datestyle = 'SQL, DMY' AS $$ SELECT date '31/12/2026' $$",
    # what only a run can tell
    plpgsql("f()", "BEGIN CREATE TEMP TABLE made (a int); RETURN 1; END")
    + "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT a FROM made';"
    + plpgsql("h()", "DECLARE x made%ROWTYPE; BEGIN RETURN x.a; END"),
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT set_config('search_path', 'x', true);"
    " SELECT a FROM only_there $$",
    "CREATE FUNCTION f(x anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT x[1].anything'",
    # parsed when they are made
    "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT a FROM t; END",
]


@pytest.mark.parametrize("text", RIGHT)
def test_nothing_is_said_of_what_may_be_right(shadow: psycopg.Connection[Any], text: str) -> None:
    assert found(shadow, text, check_functions="strict") == []


def test_where_the_files_keep_postgresql_from_looking_it_warns(shadow: psycopg.Connection[Any]) -> None:
    text = (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nope';\nSET check_function_bodies = false;\n"
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT nope';\nSET check_function_bodies TO 'on';\n"
        "CREATE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT nope';\n"
    )
    told = found(shadow, text)
    assert [(d.source.line, d.severity) for d in told] == [(1, "error"), (3, "warning"), (5, "error")]
    assert {d.severity for d in found(shadow, text, check_functions="strict")} == {"error"}
    assert found(shadow, text, check_functions="off") == []


def test_equal_bodies_each_have_their_place(shadow: psycopg.Connection[Any]) -> None:
    text = "".join(f"CREATE FUNCTION {n}() RETURNS int LANGUAGE sql AS 'SELECT nope';\n" for n in "abc")
    assert [(d.source.line, d.message[:20]) for d in found(shadow, text)] == [
        (1, "function public.a():"),
        (2, "function public.b():"),
        (3, "function public.c():"),
    ]


def test_of_or_replace_the_last_body_counts(shadow: psycopg.Connection[Any]) -> None:
    head = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS"
    assert found(shadow, f"{head} 'SELECT nope';\n{head} 'SELECT 1';\n") == []
    assert [d.source.line for d in found(shadow, f"{head} 'SELECT 1';\n{head} 'SELECT nope';\n")] == [2]


def test_only_what_the_files_make_is_checked(shadow: psycopg.Connection[Any]) -> None:
    before = "SET check_function_bodies = off; CREATE FUNCTION b() RETURNS int LANGUAGE sql AS 'SELECT nope'"
    desired = made(shadow, TABLE, prelude=[before], check_functions="strict")
    assert {desired.snapshot[a].identity for a in desired.sources} == {"public.t", "public.t.a", "public.t.d"}


def test_no_worse_than_the_live_one_is_a_warning(shadow: psycopg.Connection[Any]) -> None:
    text = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nope'"
    assert [d.severity for d in found(shadow, text, unchanged=lambda _: {"public.f()": True})] == ["warning"]
    assert [d.severity for d in found(shadow, text, unchanged=lambda _: {"public.f()": False})] == ["error"]


def test_many_bodies_are_as_good_as_one(shadow: psycopg.Connection[Any]) -> None:
    bodies = {n: "SELECT nope" if n in (7, 130, 131, 299) else "SELECT 1" for n in range(300)}
    text = "".join(f"CREATE FUNCTION f{n}() RETURNS int LANGUAGE sql AS '{b}';\n" for n, b in bodies.items())
    assert [d.source.line - 1 for d in found(shadow, text)] == [7, 130, 131, 299]


# -- what plpgsql_check finds -----------------------------------------------------------------------


@pytest.mark.usefixtures("plpgsql_check")
@pytest.mark.parametrize("commit", [False, True])
def test_statements_at_their_places(server_url: str, commit: bool) -> None:
    text = TABLE + (
        "CREATE FUNCTION f(k int) RETURNS text LANGUAGE plpgsql AS '\n"
        "DECLARE x text := ''it''''s'';\n"
        "BEGIN\n"
        "  PERFORM lower(x || nope);\n"
        "  UPDATE t\n"
        "     SET b = 1\n"
        "   WHERE a = k;\n"
        "  SELECT a INTO x FROM t WHERE missing = ''1'';\n"
        "  RETURN x || (SELECT c FROM t);\n"
        "END';\n"
    )
    with created(server_url) as connection:
        told = found(connection, text, commit=commit)
    assert [(d.source.line, d.severity, pointed_at(d)) for d in told] == [
        (5, "error", "nope"),
        (7, "error", "b"),
        (9, "error", "missing"),
        (10, "error", "c"),
    ]


@pytest.mark.usefixtures("plpgsql_check")
def test_what_may_exist_when_it_runs_is_a_warning(shadow: psycopg.Connection[Any]) -> None:
    text = plpgsql("f()", "BEGIN PERFORM g(); RETURN (SELECT a FROM gone); END")
    told = found(shadow, text)
    assert [(d.severity, d.code) for d in told] == [("warning", "42883"), ("warning", "42P01")]
    assert {d.severity for d in found(shadow, text, check_functions="strict")} == {"error"}
    assert found(shadow, text, check_functions="off") == []


@pytest.mark.usefixtures("plpgsql_check")
def test_a_trigger_function_is_wrong_if_it_is_for_every_table(shadow: psycopg.Connection[Any]) -> None:
    trigger = "CREATE TRIGGER {0} BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION f();\n"
    function = plpgsql("f()", "BEGIN NEW.d := now(); RETURN NEW; END", "trigger")
    tables = TABLE + "CREATE TABLE u (a int); CREATE TABLE v (a int);\n"
    assert found(shadow, tables + function) == []
    assert found(shadow, tables + function + trigger.format("u") + trigger.format("t")) == []
    (told,) = found(shadow, tables + function + trigger.format("u") + trigger.format("v"))
    assert (told.severity, told.message) == ("warning", 'function public.f(): record "new" has no field "d"')


@pytest.mark.usefixtures("plpgsql_check")
def test_whether_the_statements_of_a_live_body_are_wrong_nobody_knows(
    shadow: psycopg.Connection[Any],
) -> None:
    text = TABLE + plpgsql("f()", "BEGIN RETURN (SELECT b FROM t); END")
    assert [d.severity for d in found(shadow, text, unchanged=lambda _: {"public.f()": False})] == ["warning"]
    assert [d.severity for d in found(shadow, text)] == ["error"]


PLANNED = [
    plpgsql("f()", "BEGIN CREATE TEMP TABLE x (q int); RETURN (SELECT q FROM x); END")
    + plpgsql("g()", "BEGIN PERFORM f(); RETURN (SELECT q FROM x); END"),
    plpgsql("f()", "BEGIN EXECUTE format('CREATE TABLE %I (q int)', 'x'); RETURN (SELECT q FROM x); END"),
    plpgsql(
        "f()", "DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT ' || 1 LOOP PERFORM abs(r.q); END LOOP; END"
    ),
    plpgsql(
        "f(c refcursor)", "DECLARE r record; BEGIN FETCH c INTO r; UPDATE t SET a = r.z; RETURN r.q; END"
    ),
    plpgsql("f(x anyelement)", "BEGIN RETURN x.anything; END", "anyelement"),
    plpgsql("f()", "BEGIN PERFORM set_config('search_path', 'x', true); RETURN (SELECT q FROM x); END"),
    plpgsql("f()", "BEGIN INSERT INTO t (a) SELECT a FROM fresh; RETURN NULL; END", "trigger")
    + "CREATE TRIGGER f AFTER INSERT ON t REFERENCING NEW TABLE AS fresh EXECUTE FUNCTION f();",
    plpgsql("f()", "BEGIN PERFORM * FROM pg_event_trigger_ddl_commands(); END", "event_trigger")
    + "CREATE EVENT TRIGGER f ON ddl_command_end EXECUTE FUNCTION f();",
    "CREATE EXTENSION plpgsql_check; CREATE SCHEMA novaops;" + plpgsql("f()", "BEGIN RETURN 1; END"),
]


@pytest.mark.usefixtures("plpgsql_check")
@pytest.mark.parametrize("text", PLANNED)
def test_nothing_is_said_of_what_only_a_run_can_tell(shadow: psycopg.Connection[Any], text: str) -> None:
    assert found(shadow, TABLE + text, check_functions="strict") == []


@pytest.mark.usefixtures("plpgsql_check")
def test_the_extension_is_no_part_of_what_is_declared(shadow: psycopg.Connection[Any]) -> None:
    text = TABLE + plpgsql("f()", "BEGIN RETURN (SELECT a FROM t); END")
    snapshot = made(shadow, text).snapshot
    assert {o.kind for o in snapshot} >= {"table", "function"}
    assert not [o.identity for o in snapshot if o.kind == "extension" or o.identity == "novaops"]
