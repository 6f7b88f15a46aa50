"""A database that an apply is to change in transactions and outside of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.planning.plan import Plan
from novaops.progress import Silent
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
PLAIN = Options(ignore_file=None, undeclared="drop")
GRANTS_ASIDE = replace(PLAIN, privileges="ignore")
LIVE = """
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (a int, b text, m mood);
INSERT INTO t SELECT n, n FROM generate_series(1, 100) n;
"""
# Committed one by one: a label, the index, the constraint, its validation.
DECLARED = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE t (a int CHECK (a > 0), b text, m mood DEFAULT 'glad');
CREATE INDEX t_b ON t (b);
COMMENT ON TABLE t IS 'made';
"""


class Stopped(Exception):
    """Thrown in place of a kill where one process is to see both sides of it."""


class StopBefore(Silent):
    """Gives up before a statement."""

    def __init__(self, number: int) -> None:
        self.number = number

    def step(self, index: int, total: int, sql: str) -> None:
        if index == self.number:
            raise Stopped


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("journal")


@pytest.fixture
def live(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LIVE)
        yield connection


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "schema.sql"
    path.write_text(DECLARED)
    return path


def committed_one_by_one(plan: Plan) -> Plan:
    """The plan with a commit after every statement, as the lock table or PostgreSQL may demand."""
    return replace(
        plan,
        statements=tuple(
            s if s.transaction is None else replace(s, transaction=n)
            for n, s in enumerate(plan.statements, 1)
        ),
    )


def cut_off(url: str, file: Path, number: int, *, one_by_one: bool = False) -> Plan:
    """Apply the plan and give up before that statement, as if the process had died: nothing is cleared away."""
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        if one_by_one:
            plan = committed_one_by_one(plan)
        project.reporter = StopBefore(number)
        with pytest.raises(Stopped):
            project.apply(plan, rehearse=False)
    return plan


def outside(plan: Plan) -> int:
    """The number of the first statement outside of transactions."""
    return next(number for number, s in enumerate(plan.statements, 1) if s.transaction is None)


def value(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
