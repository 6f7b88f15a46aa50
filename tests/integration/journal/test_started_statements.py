"""Statements outside of transactions that were begun: which of their remains are novaops' own."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.progress import Silent
from novaops.project import Project
from tests.integration.journal.conftest import (
    DECLARED,
    PLAIN,
    Connection,
    cut_off,
    outside,
    value,
)


@pytest.mark.parametrize("left", ["nothing", "an invalid index", "the whole index"])
def test_a_started_build_is_finished(url: str, live: Connection, file: Path, left: str) -> None:
    """The process died while the statement ran; the server had come to one of these."""
    with Project(url, file, PLAIN) as project:
        number = outside(project.plan())
    plan = cut_off(url, file, number)
    live.execute("UPDATE novaops.journal_statement SET state = 'started' WHERE number = %s", [number])
    live.execute("UPDATE novaops.journal SET outcome = NULL, finished = NULL")
    if left == "an invalid index":
        live.execute("SET statement_timeout = '500ms'")
        with psycopg.connect(url) as writer:
            writer.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")  # the build waits for whoever may write
            with pytest.raises(psycopg.errors.QueryCanceled):
                live.execute(plan.statements[number - 1].sql)
        live.execute("RESET statement_timeout")
        assert value(live, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 1
    elif left == "the whole index":
        live.execute(plan.statements[number - 1].sql)
    before = value(live, "SELECT to_regclass('t_b')::oid")
    with Project(url, file, PLAIN) as project:
        outcome = project.apply(plan)
        assert not project.plan().statements
    assert outcome.statements == len(plan.statements) - number + (left != "the whole index")
    assert value(live, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    if left == "the whole index":
        assert value(live, "SELECT to_regclass('t_b')::oid") == before


def test_an_invalid_index_of_somebody_else_is_left_alone(url: str, live: Connection, file: Path) -> None:
    live.execute("CREATE TABLE u (a int); INSERT INTO u VALUES (1), (1)")
    file.write_text(DECLARED + "CREATE TABLE u (a int);")
    with Project(url, file, PLAIN) as project:
        number = outside(project.plan())
    cut_off(url, file, number)
    live.execute("UPDATE novaops.journal_statement SET state = 'started' WHERE number = %s", [number])
    with pytest.raises(psycopg.errors.UniqueViolation):
        live.execute("CREATE UNIQUE INDEX CONCURRENTLY theirs ON u (a)")
    with Project(url, file, PLAIN) as project:
        project.recover()
    assert value(live, "SELECT to_regclass('theirs')") == "theirs"


def test_an_index_that_somebody_else_made_meanwhile_stays(url: str, live: Connection, file: Path) -> None:
    class Meanwhile(Silent):
        def step(self, index: int, total: int, sql: str) -> None:
            if "CONCURRENTLY t_b" in sql:
                live.execute("CREATE INDEX t_b ON t (b, a)")

    with Project(url, file, PLAIN, Meanwhile()) as project:
        with pytest.raises(NovaopsError, match='"t_b" already exists'):
            project.apply(rehearse=False)
        assert value(live, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_b'::regclass")
        project.reporter = Silent()
        assert project.apply().left == ()
