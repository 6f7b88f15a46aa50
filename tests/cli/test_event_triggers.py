"""Event triggers of the database that refuse what an apply runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

REFUSES = """
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
    'BEGIN IF tg_tag = ''ALTER TABLE'' THEN RAISE ''no % today'', tg_tag; END IF; END';
CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION refuse();
"""
LIVE = "CREATE TABLE t (a int); INSERT INTO t VALUES (1);"


@pytest.fixture
def guarded(new_database: Callable[..., str], tmp_path: Path) -> tuple[str, Path]:
    url, file = new_database("guarded"), tmp_path / "schema.sql"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LIVE + REFUSES)
    file.write_text("CREATE TABLE t (a int, b int);" + REFUSES)
    return url, file


def test_a_refusal_is_quoted_foreseen_and_avoided(novaops, guarded: tuple[str, Path]) -> None:
    url, file = guarded
    plan = novaops("plan", "--url", url, "--file", file)
    assert "event trigger guard fires at ddl_command_start" in plan.stdout
    refused = novaops("apply", "--url", url, "--file", file, "--yes")
    assert refused.returncode == 1
    assert "no ALTER TABLE today [P0001]" in refused.stderr
    assert "PL/pgSQL function refuse() line 1 at RAISE" in refused.stderr
    assert "defect" not in refused.stderr
    applied = novaops("apply", "--url", url, "--file", file, "--yes", "--no-event-triggers")
    assert applied.returncode == 0, applied.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT evtenabled FROM pg_event_trigger").fetchone() == ("O",)
    assert "matches" in novaops("plan", "--url", url, "--file", file).stdout


def test_one_that_the_plan_creates_does_not_refuse_the_rest(novaops, guarded: tuple[str, Path]) -> None:
    url, file = guarded
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP EVENT TRIGGER guard")
    applied = novaops("apply", "--url", url, "--file", file, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "fires at" not in applied.stdout
