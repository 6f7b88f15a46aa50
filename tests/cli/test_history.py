"""history, and what apply says about the journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("history")


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.sql"
    path.write_text("CREATE TABLE t (a int);\n")
    return path


def test_history_of_a_database_without_a_journal(novaops, url: str, schema: Path) -> None:
    for options in ((), ("--no-journal",)):
        result = novaops("history", "--url", url)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("No run of novaops apply is recorded in history_")
        assert novaops("apply", "--url", url, "--file", schema, "--yes", *options).returncode == 0
        schema.write_text("CREATE TABLE t (a int, b int);\n")
        if not options:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("DROP SCHEMA novaops CASCADE")
    as_json = json.loads(novaops("history", "--url", url, "--format", "json").stdout)
    assert as_json == {"format_version": 1, "runs": [], "missing": []}


def test_history_lists_runs_and_shows_one(novaops, url: str, schema: Path) -> None:
    applied = novaops("apply", "--url", url, "--file", schema, "--yes")
    assert applied.stderr.rstrip().endswith(" · history 1"), applied.stderr
    listed = novaops("history", "--url", url).stdout.splitlines()
    assert listed[0].split() == ["run", "begun", "role", "by", "outcome", "statements", "seconds"]
    assert "converged" in listed[1]
    assert "1 of 1" in listed[1]
    shown = novaops("history", "1", "--url", url).stdout
    assert "history 1  converged · 1 of 1 statement" in shown
    assert "✓ 1  tx 1     CREATE TABLE public.t (" in shown
    value = json.loads(novaops("history", "1", "--url", url, "--format", "json").stdout)
    assert (value["format_version"], value["run"]["outcome"]) == (1, "converged")
    assert [s["state"] for s in value["statements"]] == ["done"]
    missing = novaops("history", "7", "--url", url)
    assert missing.returncode == 1
    assert "there is no run 7" in missing.stderr


def test_an_apply_that_was_cut_off_is_told(novaops, url: str, schema: Path) -> None:
    assert novaops("apply", "--url", url, "--file", schema, "--yes").returncode == 0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE novaops.journal SET outcome = NULL, finished = NULL")
    assert "unfinished" in novaops("history", "--url", url).stdout
    schema.write_text("CREATE TABLE t (a int, b int);\n")
    result = novaops("apply", "--url", url, "--file", schema, "--yes")
    assert result.returncode == 0
    assert "history 1, begun " in result.stderr
    assert "was cut off: 1 of its 1 statements were committed" in result.stderr


def test_the_configuration_can_do_without(novaops, url: str, schema: Path, tmp_path: Path) -> None:
    (tmp_path / "novaops.toml").write_text("[schema]\njournal = false\n")
    applied = novaops("apply", "--url", url, "--file", schema, "--yes")
    assert applied.returncode == 0
    assert "· history 1" not in applied.stderr
    refused = novaops("apply", "--url", url, NOVAOPS_JOURNAL="maybe")
    assert refused.returncode == 2
    assert "journal from NOVAOPS_JOURNAL is 'maybe'" in refused.stderr


def test_the_command_that_goes_on_keeps_no_journal_either(novaops, url: str, schema: Path) -> None:
    refused = novaops("apply", "--url", url, "--file", schema, "--no-journal")
    assert refused.returncode == 2
    assert "novaops apply --no-journal --url " in refused.stderr
