"""`novaops diff` between databases, files and snapshots."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

OLD = "CREATE TABLE t (a int); CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (token '{0}');"
MAPPING = "CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (user 'x', password '{0}')"
SECRET = "correct horse"
COLUMN = "ALTER TABLE public.t ADD COLUMN b integer"


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    found = new_database("diff")
    with psycopg.connect(found, autocommit=True) as connection:
        connection.execute(OLD.format(SECRET))
        connection.execute(MAPPING.format(SECRET))
    return found


@pytest.fixture
def saved(novaops, url: str, tmp_path: Path) -> Path:
    """A snapshot of that database."""
    path = tmp_path / "before.json"
    path.write_text(novaops("dump", "--json", "--url", url).stdout)
    return path


def test_a_snapshot_and_what_has_changed_since(novaops, url: str, saved: Path) -> None:
    assert novaops("diff", saved, url, "--check").returncode == 0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE t ADD b int")
    found = novaops("diff", saved, url, "--check", "--json")
    assert found.returncode == 3
    assert [s["sql"] for s in json.loads(found.stdout)["statements"]] == [COLUMN]


def test_two_snapshots_need_no_server(novaops, url: str, saved: Path, tmp_path: Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE t ADD b int")
    after = tmp_path / "after.json"
    after.write_text(novaops("dump", "--format", "json", "--url", url).stdout)
    found = novaops("diff", saved, after, "--json", PGHOST="/nowhere")
    assert [s["sql"] for s in json.loads(found.stdout)["statements"]] == [COLUMN]


def test_a_snapshot_and_files(novaops, url: str, saved: Path, tmp_path: Path) -> None:
    file = tmp_path / "schema.sql"
    file.write_text("CREATE TABLE t (a int, b int)")
    found = novaops("diff", saved, file, "--json", "--url", url)
    assert [s["sql"] for s in json.loads(found.stdout)["statements"]] == [COLUMN]


def test_secrets_stay_out_unless_they_are_asked_for(novaops, url: str, saved: Path, tmp_path: Path) -> None:
    assert SECRET not in saved.read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SERVER s OPTIONS (SET token 'other')")
    found = json.loads(novaops("diff", saved, url, "--scope", "database", "--json").stdout)
    assert found["statements"] == [], "what a file does not hold is not compared"
    assert any("options of server s" in text for text in found["unmanaged"]), "and named"
    assert SECRET in novaops("dump", "--json", "--with-secrets", "--url", url).stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read as a snapshot"),
        ("{", "cannot be read as a snapshot"),
        ("[]", "holds no snapshot"),
        ('{"objects": [], "format_version": 2}', "has format_version 2"),
        ('{"objects": [{}], "format_version": 1}', "is no snapshot that novaops wrote"),
    ],
)
def test_a_file_that_is_none(novaops, tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "x.json"
    if text is not None:
        file.write_text(text)
    found = novaops("diff", file, file)
    assert found.returncode == 1
    assert told in found.stderr
    assert "novaops dump --format json" in found.stderr


def test_a_snapshot_is_one_file(novaops, url: str) -> None:
    assert novaops("dump", "--json", "--split", "folder", "--url", url).returncode == 2
