"""A project whose live database has earlier names, with pg_dump as a second opinion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.execution.pg_dump import entries
from novaops.planning.plan import Plan
from novaops.project import Options, Project

Renamed = Callable[..., Plan]


@pytest.fixture
def project(new_database: Callable[..., str], tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """`project(old, files, rows="", **options)`: a database made by `old`, and files that declare another state."""
    opened: list[Project] = []

    def made(old: str, files: str, rows: str = "", **options: Any) -> Project:
        url = new_database("renames")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(old)
            connection.execute(rows or "SELECT")
        file = tmp_path / f"schema_{len(opened)}" / "schema.sql"
        file.parent.mkdir()
        file.write_text(files)
        opened.append(Project(url, file, Options(**{"ignore_file": None, **options})))
        return opened[-1]

    yield made
    for each in opened:
        each.close()


@pytest.fixture
def renamed(
    project: Callable[..., Project], new_database: Callable[..., str], pg_dump: Callable[..., str]
) -> Renamed:
    """`renamed(old, files, rows="", check="", allow=())` applies the plan from `old` to the files, and returns it.

    `check` is a query that must return a row of true values afterwards. Fails unless the next plan is
    empty, and pg_dump cannot tell the database from one that the files made.
    """

    def run(
        old: str, files: str, *, rows: str = "", check: str = "", allow: tuple[str, ...] = (), **options: Any
    ) -> Plan:
        changed = project(old, files, rows, **options)
        plan = changed.plan(allow)
        outcome = changed.apply(plan)
        assert outcome.left == ()
        assert (outcome.rehearsal or {}).get("converges"), outcome.rehearsal
        if check:
            found = changed.connection.execute(check).fetchone() or (False,)
            assert all(found), f"{check}: {found}"
        again = changed.plan()
        assert [s.sql for s in again.statements] == []
        assert again.changes == ()
        goal = new_database("goal")
        with psycopg.connect(goal, autocommit=True) as connection:
            connection.execute(files)
        dumps = (
            pg_dump(url, "--schema-only", "--exclude-schema=novaops") for url in (changed.conninfo, goal)
        )
        here, there = map(entries, dumps)
        assert here == there
        return plan

    return run


def sql(plan: Plan) -> list[str]:
    return [statement.sql for statement in plan.statements]
