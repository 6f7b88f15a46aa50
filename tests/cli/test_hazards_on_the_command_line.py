"""Hazards as people meet them: what is left out, what is too small to matter, what is explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

OLD = "CREATE TABLE t (id int, gone text);"
NEW = "CREATE TABLE t (id int, name text);"


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    """A database with a table of 5,000 rows."""
    url = new_database("cli")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(OLD)
        connection.execute("INSERT INTO t SELECT n, 'x' FROM generate_series(1, 5000) AS n")
    return url


@pytest.fixture
def call(url: str, tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    """`call(text)` writes the file and returns the options that name it and the database."""

    def write(text: str) -> tuple[str, ...]:
        (tmp_path / "schema.sql").write_text(text)
        return ("--url", url, "--file", "schema.sql")

    return write


def test_only_what_is_safe(novaops, call, tmp_path: Path) -> None:
    options = call(NEW)
    planned = novaops("plan", *options, "--safe-only", "--out", "plan.json")
    assert planned.returncode == 0, planned.stderr
    assert "1 change left out" in planned.stdout
    assert "! data-loss:public.t.gone" in planned.stdout
    (left,) = json.loads((tmp_path / "plan.json").read_text())["left_out"]
    assert left["object"] == "public.t.gone"
    applied = novaops("apply", *options, "--safe-only", "--yes")
    assert applied.returncode == 3, applied.stderr
    assert "✓ applied 1 statement" in applied.stderr
    assert "1 change left out" in applied.stderr
    again = novaops("apply", *options, "--safe-only", "--yes", "--format", "json")
    assert again.returncode == 3
    assert json.loads(again.stdout)["statements"] == []
    allowed = novaops("apply", *options, "--safe-only", "--yes", "--allow", "data-loss:public.t.gone")
    assert allowed.returncode == 0, allowed.stderr


def test_a_plan_file_is_not_a_part_of_itself(novaops, call) -> None:
    options = call(NEW)
    novaops("plan", *options, "--out", "plan.json")
    refused = novaops("apply", "plan.json", *options[:2], "--safe-only", "--yes")
    assert refused.returncode == 2
    assert "a plan file is applied as it is" in refused.stderr


@pytest.mark.parametrize(
    ("given", "toml", "code"),
    [
        ((), "", 4),
        (("--safe-below", "1 MB"), "", 3),
        ((), '[schema]\nsafe-below = "1 MB"', 3),
        (("--safe-below", "0"), '[schema]\nsafe-below = "1 MB"', 4),
        (("--safe-below", "large"), "", 2),
    ],
)
def test_how_small_is_small(
    novaops, call, tmp_path: Path, given: tuple[str, ...], toml: str, code: int
) -> None:
    (tmp_path / "novaops.toml").write_text(toml)
    checked = novaops("plan", *call(OLD.replace("int", "bigint")), *given, "--check")
    assert checked.returncode == code, checked.stdout + checked.stderr
    assert ("rewrite:public.t" in checked.stdout) == (code == 4)


def test_a_reason_is_shown_and_kept(novaops, call) -> None:
    given = ("--allow", "data-loss:public.t.gone", "--reason", "moved to s3")
    planned = novaops("apply", *call(NEW), *given, "--check")
    assert planned.returncode == 3
    assert "(allowed: moved to s3)" in planned.stdout
    applied = novaops("apply", *call(NEW), *given, "--yes", "--format", "json")
    assert applied.returncode == 0, applied.stderr
    plan = json.loads(applied.stdout)
    assert plan["consents"] == [{"consent": "data-loss:public.t.gone", "reason": "moved to s3"}]
    assert {h["reason"] for s in plan["statements"] for h in s["hazards"]} == {"moved to s3"}


def test_consent_in_the_plan_file(novaops, call, tmp_path: Path) -> None:
    options = call(NEW)
    novaops("plan", *options, "--out", "plan.json")
    assert novaops("apply", "plan.json", *options[:2], "--yes").returncode == 4
    plan = json.loads((tmp_path / "plan.json").read_text())
    plan["consents"].append({"consent": "data-loss:public.t.gone", "reason": "asked everybody"})
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    applied = novaops("apply", "plan.json", *options[:2], "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "(allowed: asked everybody)" in applied.stdout


def test_consent_in_the_configuration(novaops, call, tmp_path: Path) -> None:
    options = call(NEW)
    consent = '[[allow]]\nhazard = "data-loss"\nobject = "public.t.gone"\nreason = "agreed"\nuntil = {}\n'
    (tmp_path / "novaops.toml").write_text(consent.format("2001-01-01"))
    assert novaops("plan", *options, "--check").returncode == 4
    (tmp_path / "novaops.toml").write_text(consent.format("9999-01-01"))
    assert novaops("plan", *options, "--check").returncode == 3
    applied = novaops("apply", *options, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "(allowed: agreed)" in applied.stdout


def test_consent_to_everything_is_loud(novaops, call) -> None:
    applied = novaops("apply", *call(NEW), "--yes", "--allow", "all")
    assert applied.returncode == 0, applied.stderr
    assert "--allow all lets 1 hazard through:\n  data-loss:public.t.gone\n" in applied.stderr
    assert "lets" not in novaops("apply", *call(NEW), "--yes", "--allow", "all").stderr
