"""plan --rehearse, plan --rollback, and an apply that cannot be rehearsed."""

from __future__ import annotations

import json
import os
import pty
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

OLD = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(20));\n"
NEW = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(40), email text);\n"


@pytest.fixture
def url(new_database: Callable[..., str], tmp_path: Path) -> str:
    """A database with a row in it, and beside the file that declares another state."""
    url = new_database("cli")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(OLD + "INSERT INTO users VALUES (1, 'a')")
    (tmp_path / "schema.sql").write_text(NEW)
    return url


def columns(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [c.name for c in connection.execute("SELECT * FROM users LIMIT 0").description or ()]


def test_a_rehearsed_plan_shows_locks_and_where_it_leads(novaops, url: str) -> None:
    plan = novaops("plan", "--url", url, "--file", "schema.sql", "--rehearse", COLUMNS="120")
    assert plan.returncode == 0, plan.stderr
    assert "rehearsed on a copy: converges; pg_dump agrees\n" in plan.stdout
    (altered,) = (line for line in plan.stdout.splitlines() if "TYPE character varying(40)" in line)
    assert altered.endswith("ACCESS EXCLUSIVE, no rewrite")
    assert columns(url) == ["id", "name"]


def test_the_way_back_is_saved_beside_the_plan(novaops, url: str) -> None:
    plan = novaops("plan", "--url", url, "--file", "schema.sql", "--rollback", "--out", "plan.json")
    assert plan.returncode == 0, plan.stderr
    assert plan.stdout.splitlines()[-1] == f"next     novaops apply plan.json --url {shlex.quote(url)}"
    back = ("apply", "plan.rollback.json", "--url", url, "--yes")
    assert novaops(*back).returncode == 5
    applied = novaops("apply", "plan.json", "--url", url, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert columns(url) == ["id", "name", "email"]
    undone = novaops(*back)
    assert undone.returncode == 0, undone.stderr
    assert " as planned " in undone.stderr
    assert columns(url) == ["id", "name"]


def test_without_a_file_the_way_back_is_shown(novaops, url: str) -> None:
    shown = novaops("plan", "--url", url, "--file", "schema.sql", "--rollback", "--format", "json")
    statements = json.loads(shown.stdout)["statements"]
    assert {s["object"]: s["operation"] for s in statements} == {
        "public.users.email": "drop",
        "public.users.name": "alter",
    }


def on_terminal(arguments: tuple[str, ...], answer: str, environment: dict[str, str], folder: Path) -> int:
    """The exit code of a call whose questions are answered so."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "novaops", *arguments],
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environment, cwd=folder,
    )  # fmt: skip
    os.write(master, answer.encode())
    process.communicate(timeout=60)
    os.close(slave)
    os.close(master)
    return process.returncode


def test_yes_is_no_consent_to_go_without_a_rehearsal(
    novaops, url: str, server_url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    saved = novaops(
        "plan", "--url", url, "--file", "schema.sql", "--privileges", "ignore", "--out", "plan.json"
    )
    assert saved.returncode == 0, saved.stderr
    role = f"novaops_test_{secrets.token_hex(4)}"
    with psycopg.connect(server_url, autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'x'; ALTER ROLE {role} NOSUPERUSER")
        superuser.execute(
            f"GRANT postgres TO {role}"
        )  # owns nothing, may alter everything, makes no database
        try:
            parts = urlsplit(url)
            other = parts._replace(netloc=f"{role}@{parts.hostname}:{parts.port}", query="").geturl()
            apply = ("apply", "plan.json", "--url", other, "--yes")
            refused = novaops(*apply, PGPASSWORD="x")
            assert refused.returncode == 2, refused.stderr
            assert "lacks CREATEDB" in refused.stderr
            assert (
                f"hint: to go on without a rehearsal: novaops apply plan.json --url {other}" in refused.stderr
            )
            assert columns(url) == ["id", "name"]
            assert on_terminal(apply, "n\n", {**environment, "PGPASSWORD": "x"}, tmp_path) == 2
            assert columns(url) == ["id", "name"]
            applied = novaops(*apply, "--no-rehearse", PGPASSWORD="x")
            assert applied.returncode == 0, applied.stderr
            assert columns(url) == ["id", "name", "email"]
        finally:
            with psycopg.connect(url, autocommit=True) as inside:
                inside.execute(f"DROP OWNED BY {role} CASCADE")  # the journal
            superuser.execute(f"DROP ROLE {role}")
