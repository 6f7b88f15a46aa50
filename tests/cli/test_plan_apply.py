"""plan, apply and dump against a server, as people run them."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

SCHEMA = """\
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, legacy_id bigint);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users);
CREATE INDEX orders_user_id ON orders (user_id);
CREATE VIEW v_users AS SELECT id, email FROM users;
"""
WITHOUT_LEGACY = SCHEMA.replace(", legacy_id bigint", "")
WITH_NAME = SCHEMA.replace("legacy_id bigint)", "legacy_id bigint, name text)")


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.sql"
    path.write_text(SCHEMA)
    return path


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    """A database that has the schema, and three users, two of them with a legacy_id."""
    url = new_database("cli")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute("INSERT INTO users VALUES (1, 'a', 10), (2, 'b', 20), (3, 'c', NULL)")
    return url


def column_names(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT * FROM users LIMIT 0")
        return [column.name for column in rows.description or ()]


# -- the flows that must hold -------------------------------------------------------------------


def test_dump_then_plan_is_empty(novaops, url: str, tmp_path: Path) -> None:
    dump = novaops("dump", "--url", url)
    assert dump.returncode == 0, dump.stderr
    assert dump.stdout == novaops("dump", "--url", url).stdout
    (tmp_path / "dump.sql").write_text(dump.stdout)
    plan = novaops("plan", "--url", url, "--file", "dump.sql", "--check")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert " matches dump.sql (" in plan.stdout


def test_from_nothing_to_the_schema_and_again(novaops, new_database, schema: Path) -> None:
    url = new_database("cli")
    assert novaops("plan", "--url", url, "--file", schema, "--check").returncode == 3
    applied = novaops("apply", "--url", url, "--file", schema, "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "✓ applied" in applied.stderr
    again = novaops("apply", "--url", url, "--file", schema)
    assert again.returncode == 0
    assert " matches " in again.stdout


def test_an_added_column_is_one_alter(novaops, url: str, schema: Path) -> None:
    schema.write_text(WITH_NAME)
    plan = json.loads(novaops("plan", "--url", url, "--file", schema, "--format", "json").stdout)
    assert [s["sql"] for s in plan["statements"]] == ["ALTER TABLE public.users ADD COLUMN name text"]
    assert plan["summary"]["create"] == 1
    assert plan["changes"][0]["source"]["line"] == 1


def test_a_dropped_column_needs_consent(novaops, url: str, schema: Path) -> None:
    schema.write_text(WITHOUT_LEGACY)
    call = ("--url", url, "--file", schema)
    plan = novaops("plan", *call)
    assert plan.returncode == 0
    assert "! data-loss:public.users.legacy_id" in plan.stdout
    assert "2 values" in plan.stdout
    assert novaops("plan", *call, "--check").returncode == 4
    refused = novaops("apply", *call, "--yes")
    assert refused.returncode == 4
    assert "nothing was applied" in refused.stderr
    assert "legacy_id" in column_names(url)
    (command,) = [line for line in refused.stdout.splitlines() if line.startswith("next ")]
    assert command.endswith("--allow data-loss:public.users.legacy_id")
    allowed = novaops("apply", *call, "--yes", "--allow", "H101:public.users.legacy_id")
    assert allowed.returncode == 0, allowed.stderr
    assert column_names(url) == ["id", "email"]


def test_consent_to_something_else_is_no_consent(novaops, url: str, schema: Path) -> None:
    schema.write_text(WITHOUT_LEGACY)
    wrong = ("--allow", "data-loss:public.users.email", "--allow", "narrowing")
    assert novaops("apply", "--url", url, "--file", schema, "--yes", *wrong).returncode == 4


def test_without_a_terminal_nothing_is_asked(novaops, url: str, schema: Path) -> None:
    schema.write_text(WITH_NAME)
    result = novaops("apply", "--url", url, "--file", schema, input="y\n")
    assert result.returncode == 2
    assert "hint: to go on without a question: novaops apply --url" in result.stderr
    assert "name" not in column_names(url)


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1), ("n\n", 1)])
def test_on_a_terminal_it_asks(environment, url: str, schema: Path, answer: str, code: int) -> None:
    schema.write_text(WITH_NAME)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "novaops", "apply", "--url", url, "--file", schema],
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environment,
    )  # fmt: skip
    os.write(master, answer.encode())
    process.communicate(timeout=60)
    os.close(slave)
    os.close(master)
    assert process.returncode == code
    assert ("name" in column_names(url)) == (code == 0)


# -- plan files ---------------------------------------------------------------------------------


def test_a_plan_file_is_applied_as_it_is(novaops, url: str, schema: Path, tmp_path: Path) -> None:
    schema.write_text(WITH_NAME)
    plan = novaops("plan", "--url", url, "--file", schema, "--out", "plan.json")
    assert plan.stdout.splitlines()[-1] == f"next     novaops apply plan.json --url {shlex.quote(url)}"
    schema.unlink()
    applied = novaops("apply", "plan.json", "--url", url, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "name" in column_names(url)


def test_a_plan_file_is_refused_after_a_change(novaops, url: str, schema: Path) -> None:
    schema.write_text(WITH_NAME)
    novaops("plan", "--url", url, "--file", schema, "--out", "plan.json")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN surprise text")
    result = novaops("apply", "plan.json", "--url", url, "--yes")
    assert result.returncode == 5
    assert "has changed since the plan was made" in result.stderr


def test_a_plan_file_keeps_its_hazards(novaops, url: str, schema: Path) -> None:
    schema.write_text(WITHOUT_LEGACY)
    novaops("plan", "--url", url, "--file", schema, "--out", "plan.json")
    assert novaops("apply", "plan.json", "--url", url, "--yes").returncode == 4
    allowed = novaops("apply", "plan.json", "--url", url, "--yes", "--allow", "data-loss")
    assert allowed.returncode == 0, allowed.stderr


def test_apply_as_json_is_one_document(novaops, url: str, schema: Path) -> None:
    schema.write_text(WITH_NAME)
    call = ("apply", "--url", url, "--file", schema, "--yes", "--format", "json")
    assert json.loads(novaops(*call).stdout)["outcome"]["statements"] == 1
    again = json.loads(novaops(*call).stdout)
    assert (again["statements"], again["outcome"]) == ([], None)


@pytest.mark.parametrize("form", ["sql", "markdown"])
def test_the_other_forms(novaops, psql, url: str, schema: Path, form: str) -> None:
    schema.write_text(WITH_NAME)
    plan = novaops("plan", "--url", url, "--file", schema, "--format", form)
    assert plan.returncode == 0, plan.stderr
    assert "ALTER TABLE public.users ADD COLUMN name text;" in plan.stdout
    if form == "sql":
        psql(url, input=plan.stdout)
        assert novaops("plan", "--url", url, "--file", schema, "--check").returncode == 0


# -- diff ---------------------------------------------------------------------------------------


def test_diff_of_files_and_databases(novaops, new_database, url: str, schema: Path, tmp_path: Path) -> None:
    (tmp_path / "new.sql").write_text(WITH_NAME)
    same = novaops("diff", url, schema, "--check")
    assert same.returncode == 0, same.stdout + same.stderr
    for source, target, server in (
        (url, tmp_path / "new.sql", ()),
        (schema, tmp_path / "new.sql", ("--url", url)),
    ):
        result = novaops("diff", source, target, "--check", *server)
        assert result.returncode == 3, result.stderr
        assert "1  ALTER TABLE public.users ADD COLUMN name text;" in result.stdout
    empty = novaops("diff", url, new_database("cli"))
    assert "DROP TABLE public.users;" in empty.stdout


# -- what goes wrong ----------------------------------------------------------------------------


def test_an_unreachable_server(novaops, schema: Path) -> None:
    result = novaops("plan", "--url", "postgresql://nova@127.0.0.1:1/nova", "--file", schema)
    assert result.returncode == 1
    assert result.stderr.startswith("error: no PostgreSQL server answers at 127.0.0.1:1\n")
    assert "= hint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_does_not_exist(novaops, database_url, schema: Path) -> None:
    result = novaops("plan", "--url", database_url("no_such_database"), "--file", schema)
    assert result.returncode == 1
    assert "no_such_database" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file(novaops, url: str) -> None:
    result = novaops("plan", "--url", url, "--file", "no/such.sql")
    assert result.returncode in (1, 2)
    assert result.stderr.startswith("error: no/such.sql does not exist\n")


def test_a_syntax_error_has_a_caret(novaops, url: str, schema: Path) -> None:
    schema.write_text("CREATE TABLE t (a integer);\nCREATE TABLE u (b integr oops);\n")
    result = novaops("plan", "--url", url, "--file", "schema.sql", "--format", "json")
    assert result.returncode == 1
    # On a slow machine lines about the progress come first.
    lines = result.stderr[result.stderr.index("schema.sql:2:") :].splitlines()
    assert "error[42601]: " in lines[0]
    assert lines[2] == "   2 | CREATE TABLE u (b integr oops);"
    column = int(lines[0].split(":")[2])
    assert lines[3].index("^") == lines[2].index("CREATE") + column - 1
    assert lines[-1] == "1 error in schema.sql; nothing was planned (exit 1)"
    assert json.loads(result.stdout)["error"]["diagnostics"][0]["code"] == "42601"


def test_all_unresolved_references_at_once(novaops, url: str, schema: Path) -> None:
    schema.write_text("CREATE VIEW a AS SELECT * FROM gone;\nCREATE TABLE t (b lost);\nCREATE TABLE u ();\n")
    result = novaops("plan", "--url", url, "--file", "schema.sql")
    assert result.returncode == 1
    assert '"gone" does not exist' in result.stderr
    assert '"lost" does not exist' in result.stderr
    assert result.stderr.splitlines()[-1] == "2 errors in schema.sql; nothing was planned (exit 1)"


def test_an_unknown_extension(novaops, url: str, schema: Path) -> None:
    schema.write_text("CREATE EXTENSION no_such_extension;\n")
    result = novaops("plan", "--url", url, "--file", "schema.sql")
    assert result.returncode == 1
    assert "no_such_extension" in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c(environment, url: str, schema: Path) -> None:
    """Interrupted while it waits for a lock: one line, exit 130, and nothing is changed."""
    schema.write_text(WITH_NAME)
    call = [sys.executable, "-m", "novaops", "apply", "--url", url, "--file", schema, "--yes"]
    with psycopg.connect(url) as blocker:
        blocker.execute("LOCK TABLE users IN ACCESS SHARE MODE")
        process = subprocess.Popen(
            [*call, "--lock-timeout", "60s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )  # fmt: skip
        wait_until_blocked(url)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    *_, told, progress = errors.splitlines()
    assert told.startswith("interrupted")
    assert progress == "0 of 1 statements were committed"
    assert "Traceback" not in errors
    assert "name" not in column_names(url)


def wait_until_blocked(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(300):
            found = connection.execute(
                "SELECT FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted"
            )
            if found.rowcount:
                return
            time.sleep(0.1)
    raise AssertionError("apply never came to wait for the lock")


def test_a_broken_function_is_shown_at_its_line(novaops, url: str, schema: Path) -> None:
    broken = "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$\n  SELECT nope FROM users\n$$;\n"
    schema.write_text(SCHEMA + broken)
    failed = novaops("plan", "--url", url, "--file", schema)
    assert failed.returncode == 1
    assert failed.stdout == ""
    line = SCHEMA.count("\n") + 2
    assert f'schema.sql:{line}:10: error[42703]: function public.f(): column "nope" does not exist' in (
        failed.stderr
    )
    assert "--check-functions off" in failed.stderr
    left = novaops("plan", "--url", url, "--file", schema, "--check-functions", "off")
    assert left.returncode == 0, left.stderr
    assert "--check-functions off" in left.stdout.splitlines()[-1]


# -- renames ------------------------------------------------------------------------------------


def test_a_declared_rename_is_shown_and_done(novaops, url: str, schema: Path) -> None:
    schema.write_text(
        SCHEMA.replace(", legacy_id bigint", ",\nold_id bigint -- novaops: renamed from legacy_id\n")
    )
    plan = novaops("plan", "--url", url, "--file", schema)
    assert "> column  legacy_id → old_id" in plan.stdout
    assert "1 to rename" in plan.stdout
    assert novaops("apply", "--url", url, "--file", schema, "--yes").returncode == 0
    assert column_names(url) == ["id", "email", "old_id"]
    assert novaops("plan", "--url", url, "--file", schema, "--check").returncode == 0


def test_a_rename_that_refers_to_nothing_is_shown_with_a_caret(novaops, url: str, schema: Path) -> None:
    schema.write_text(SCHEMA + "-- novaops: renamed from nothing\n")
    plan = novaops("plan", "--url", url, "--file", schema)
    assert plan.returncode == 1
    assert "schema.sql:5:1: error" in plan.stderr
    assert "^^^" in plan.stderr


def test_renames_may_stand_in_a_file_of_their_own(novaops, url: str, schema: Path, tmp_path: Path) -> None:
    schema.write_text(SCHEMA.replace("legacy_id", "old_id"))
    renames = tmp_path / "other.json"
    renames.write_text('{"renames": [{"table": "users", "column": {"from": "legacy_id", "to": "old_id"}}]}')
    plan = novaops("plan", "--url", url, "--file", schema, "--renames", renames, "--format", "json")
    (change,) = json.loads(plan.stdout)["changes"]
    assert (change["operation"], change["object"], change["detail"]) == (
        "rename",
        "public.users.legacy_id",
        ["→ old_id"],
    )
