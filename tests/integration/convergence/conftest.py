"""Whole plans between two databases, with pg_dump as a second opinion beside novaops' own reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import Draft, draft
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope

EVERYTHING = Scope(frozenset(), whole=True)
MANAGED = Comparison(PrivilegeMode.MANAGED)
Converge = Callable[..., list[str]]
# Some servers count changes of a column there, with another number in every database.
BOOKKEEPING = re.compile(r"ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=\d+\);")


@pytest.fixture
def converge(new_database: Callable[..., str], pg_dump: Callable[..., str]) -> Converge:
    """`converge(old, new, rows="", check="", busy=())` brings a database from `old` to `new`; returns the statements.

    `rows` are inserted before; `check` is a query that must return a row of true values after; `busy`
    are the tables of schema public that are treated as what has rows and is in use. Fails
    unless the next plan is empty and pg_dump cannot tell the database from one made by `new`.
    """

    def run(old: str, new: str, *, rows: str = "", check: str = "", busy: Iterable[str] = ()) -> list[str]:
        current, goal = new_database(), new_database()
        with psycopg.connect(goal, autocommit=True) as connection:
            connection.execute(new or "SELECT")
            desired = snapshot(connection)
        with psycopg.connect(current, autocommit=True) as connection:
            connection.execute(old or "SELECT")
            connection.execute(rows or "SELECT")
            tables = frozenset(Address("table", ("public", name)) for name in busy)
            made = draft(snapshot(connection), desired, EVERYTHING, MANAGED, busy=tables)
            execute(connection, made)
            after = snapshot(connection)
            if check:
                found = connection.execute(check).fetchone() or (False,)
                assert all(found), f"{check}: {found}"
        assert diff(after, desired, EVERYTHING, MANAGED) == {}
        assert after.unmodelled == ()
        assert entries(pg_dump(current, "--schema-only")) == entries(pg_dump(goal, "--schema-only"))
        return [written.step.sql for written in made.written]

    return run


def snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    with connection.transaction():
        return read(connection, list(registry().values()))


def execute(connection: psycopg.Connection[Any], made: Draft) -> None:
    """Run the statements in the transactions that the draft divides them into."""
    connection.execute("SET check_function_bodies = off")
    for number, group in groupby(zip(made.numbers, made.written, strict=True), key=lambda each: each[0]):
        statements = [written.step.sql for _, written in group]
        if number is None:
            for statement in statements:
                connection.execute(statement)
        else:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement)


def entries(dump: str) -> list[str]:
    """The lines of a dump in an order of their own: a column can only be added as the last one."""
    lines = (line.rstrip(",") for line in dump.splitlines() if not BOOKKEEPING.fullmatch(line))
    return sorted(line for line in lines if line and not line.startswith(("--", "\\")))
