"""The declared state, built on a server."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from novaops.desired.build import Desired, build
from novaops.desired.shadow import created
from novaops.desired.split import File, Statement, split
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.kinds import registry


@pytest.fixture(scope="module")
def shadow(server_url: str) -> Iterator[psycopg.Connection[Any]]:
    with created(server_url) as connection:
        yield connection


@pytest.fixture(scope="module")
def spare(server_url: str) -> Iterator[psycopg.Connection[Any]]:
    with created(server_url) as connection:
        yield connection


def made(connection: psycopg.Connection[Any], text: str, **options: Any) -> Desired:
    statements = [p for p in split(File.of("x.sql", text)) if isinstance(p, Statement)]
    return build(connection, statements, readers=list(registry().values()), **options)


def errors(connection: psycopg.Connection[Any], text: str, **options: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(DiagnosticsError) as error:
        made(connection, text, **options)
    return error.value.diagnostics


def named(desired: Desired) -> dict[str, int]:
    """Line of each object by its identity."""
    return {desired.snapshot[a].identity: s.line for a, s in desired.sources.items()}


OUT_OF_ORDER = """SET search_path = app, public;
CREATE VIEW v AS SELECT id FROM t;
CREATE TABLE t (
  id int PRIMARY KEY,
  "m" mood
);
CREATE TYPE app.mood AS ENUM ('ok');
CREATE SCHEMA app;
ALTER TABLE app.t ADD COLUMN late text;
"""


def test_any_order_and_sources(shadow: psycopg.Connection[Any]) -> None:
    lines = named(made(shadow, OUT_OF_ORDER))
    expected = {"app.v": 2, "app.t": 3, "app.t.id": 4, "app.t.m": 5, "app.mood": 7, "app": 8, "app.t.late": 9}
    assert {k: lines[k] for k in expected} == expected


def test_with_commits_the_same(shadow: psycopg.Connection[Any], spare: psycopg.Connection[Any]) -> None:
    committed, undone = made(spare, OUT_OF_ORDER, commit=True), made(shadow, OUT_OF_ORDER)
    assert named(committed) == named(undone)
    assert committed.snapshot.objects == undone.snapshot.objects


TOGETHER = """CREATE TABLE a ();
DO $$ BEGIN CREATE TABLE b (); EXCEPTION WHEN others THEN NULL; END $$;
CREATE TABLE c (x int);
ALTER TABLE a ADD COLUMN late text;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


@pytest.mark.parametrize("commit", [False, True])
def test_the_statements_of_one_message_are_told_apart(server_url: str, commit: bool) -> None:
    with created(server_url) as connection:
        lines = named(made(connection, TOGETHER, commit=commit))
    expected = {
        "public.a": 1,
        "public.b": 2,
        "public.c": 3,
        "public.c.x": 3,
        "public.a.late": 4,
        "public.f()": 5,
    }
    assert {k: lines[k] for k in expected} == expected


def test_what_is_out_of_order_by_far_is_made_all_the_same(shadow: psycopg.Connection[Any]) -> None:
    views = [f"CREATE VIEW v{i} AS SELECT * FROM v{i + 1};" for i in range(300)]
    desired = made(shadow, "\n".join([*views, "CREATE VIEW v300 AS SELECT 1 AS a;"]))
    assert named(desired)["public.v0"] == 1
    assert desired.statements == 301


def test_a_failing_statement_does_not_undo_what_others_manage(shadow: psycopg.Connection[Any]) -> None:
    text = "CREATE VIEW first AS TABLE later;\nCREATE TABLE later (a int REFERENCES beside);"
    desired = made(shadow, text, prelude=["CREATE TABLE beside (a int PRIMARY KEY)"])
    lines = named(desired)
    assert lines["public.first"] == 1
    assert "public.beside" not in lines


def test_with_commits_no_role_is_left_behind(server_url: str) -> None:
    text = "CREATE TABLE t ();\nGRANT SELECT ON t TO no_a, no_b;\nALTER TABLE t OWNER TO no_c;"
    with created(server_url) as connection:
        found = made(connection, text, missing_roles="create", commit=True)
        assert sorted(found.missing_roles) == ["no_a", "no_b", "no_c"]
        row = connection.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'no\\__'").fetchone()
    assert row == (0,)
    (table,) = (o for o in found.snapshot if o.kind == "table")
    assert table.owner == "no_c"


def test_with_commits_a_role_that_decides_on_later_statements_must_be_there(server_url: str) -> None:
    text = "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO no_a;\nCREATE TABLE t ();"
    with created(server_url) as connection:
        (found,) = errors(connection, text, missing_roles="create", commit=True)
    assert found.message == 'role "no_a" does not exist'


def test_nothing_is_left_behind(shadow: psycopg.Connection[Any]) -> None:
    made(shadow, "CREATE TABLE left_behind (a int)")
    row = shadow.execute("SELECT to_regclass('left_behind')").fetchone()
    shadow.rollback()
    assert row == (None,)


def test_every_cause_once_with_its_consequences(shadow: psycopg.Connection[Any]) -> None:
    found = errors(
        shadow,
        "CREATE VIEW a AS\n  SELECT * FROM gone;\nCREATE VIEW b AS SELECT * FROM a;\nSELEC 1;\nCREATE TABLE ok (a int);\n",
    )
    assert [(d.source.line, d.source.column, d.code, d.length) for d in found] == [
        (2, 17, "42P01", 4),
        (4, 1, "42601", 5),
    ]
    assert found[0].text == "  SELECT * FROM gone;"
    assert found[0].notes == (
        "no statement in x.sql creates it; the view a (line 1) needs it",
        'x.sql:3: view b fails with it: relation "a" does not exist',
    )


def test_deferred_statements_keep_the_settings_of_their_place(shadow: psycopg.Connection[Any]) -> None:
    desired = made(
        shadow,
        "CREATE SCHEMA a; CREATE SCHEMA b;\nSET search_path = a;\nCREATE VIEW v AS SELECT * FROM t;\n"
        "SET search_path = b;\nCREATE TABLE a.t (x int); CREATE TABLE t (y int);\n",
    )
    lines = named(desired)
    assert "a.v" in lines
    assert "b.v" not in lines
    assert desired.snapshot.role


def test_nothing_is_made_after_default_privileges_that_stood_before(shadow: psycopg.Connection[Any]) -> None:
    text = "CREATE VIEW v AS SELECT * FROM t;\nALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;\nCREATE TABLE t ();"
    (found,) = errors(shadow, text)
    assert found.source.line == 1
    assert found.notes[-1].startswith("it cannot wait past x.sql:2")


def test_missing_roles_are_told_all_at_once(shadow: psycopg.Connection[Any]) -> None:
    text = "CREATE TABLE t ();\nGRANT SELECT ON t TO no_a, no_b;\nALTER TABLE t OWNER TO no_c;"
    found = errors(shadow, text)
    assert [d.message for d in found] == [f'role "no_{x}" does not exist' for x in "abc"]
    assert all(d.hint and "--missing-roles" in d.hint for d in found)
    assert made(shadow, text, missing_roles="create").missing_roles == ("no_a", "no_b", "no_c")
    skipped = made(shadow, text, missing_roles="skip")
    assert [n.source.line for n in skipped.notices] == [2, 3]
    row = shadow.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'no\\__'").fetchone()
    shadow.rollback()
    assert row == (0,)


def test_statements_without_effect_are_reported(shadow: psycopg.Connection[Any]) -> None:
    desired = made(
        shadow,
        "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\nDO $$ BEGIN NULL; END $$;\n"
        "DO $$ BEGIN CREATE TABLE u (); EXCEPTION WHEN others THEN NULL; END $$;\n",
    )
    assert [n.source.line for n in desired.notices] == [2, 3]
    assert named(desired)["public.u"] == 4


def test_secrets_are_not_shown(shadow: psycopg.Connection[Any]) -> None:
    found = errors(
        shadow,
        "CREATE SUBSCRIPTION s CONNECTION 'hots=h password=geheim' PUBLICATION p;\n"
        "CREATE USER MAPPING FOR PUBLIC SERVER none OPTIONS (password 'geheim');\n",
    )
    assert len(found) == 2
    assert "geheim" not in repr(found)
    assert "hots" not in repr(found)


def test_unknown_extension_says_how_to_come_by_it(shadow: psycopg.Connection[Any]) -> None:
    (found,) = errors(shadow, "CREATE EXTENSION no_such_thing")
    major = shadow.info.server_version // 10000
    assert found.hint is not None
    assert f"postgresql-{major}-no-such-thing" in found.hint


def test_subscription_connects_nowhere(spare: psycopg.Connection[Any]) -> None:
    text = "CREATE SUBSCRIPTION s CONNECTION 'host=192.0.2.1' PUBLICATION p WITH (copy_data = true)"
    made(spare, text, commit=True)
    row = spare.execute("SELECT subenabled FROM pg_subscription WHERE subname = 's'").fetchone()
    assert row == (False,)


def test_a_reset_takes_effect_at_its_place(shadow: psycopg.Connection[Any]) -> None:
    text = "CREATE SCHEMA app;\n"
    for number, reset in enumerate(["RESET search_path", "SET search_path TO DEFAULT", "RESET ALL"]):
        text += f"SET search_path = app; CREATE TABLE a{number} (); {reset}; CREATE TABLE b{number} ();\n"
    tables = {o.identity for o in made(shadow, text).snapshot if o.kind == "table"}
    assert tables == {f"{schema}{number}" for schema in ("app.a", "public.b") for number in range(3)}


def test_what_was_there_before_is_not_declared(shadow: psycopg.Connection[Any]) -> None:
    desired = made(shadow, "CREATE VIEW v AS SELECT * FROM t;\n", prelude=["CREATE TABLE t (a int)"])
    assert set(named(desired)) == {"public.v", "public.v.a"}


@pytest.mark.parametrize(
    ("text", "name", "extension"),
    [
        ("CREATE TABLE t (v vector(3));", "vector", "vector"),
        ("CREATE TABLE t (a text); CREATE INDEX ON t USING gin (a gin_trgm_ops);", "gin_trgm_ops", "pg_trgm"),
        ("CREATE TABLE t (a uuid DEFAULT uuid_generate_v4());", "uuid_generate_v4", '"uuid-ossp"'),
    ],
)
def test_the_extension_that_provides_a_missing_name_is_named(
    shadow: psycopg.Connection[Any], text: str, name: str, extension: str
) -> None:
    (error,) = errors(shadow, text)
    assert name in error.message
    assert error.hint is not None
    assert f"provides {name}; " in error.hint
    assert error.hint.endswith(f"CREATE EXTENSION IF NOT EXISTS {extension};")


def test_a_missing_name_that_the_files_declare_needs_no_extension(shadow: psycopg.Connection[Any]) -> None:
    (error,) = errors(shadow, "CREATE TYPE vector AS (a nowhere);\nCREATE TABLE t (v vector);")
    assert error.hint is None
