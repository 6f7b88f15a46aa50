"""The row for which an expression raises an error, found in the live data within a time limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from novaops.db.identifiers import quote_literal
from novaops.kinds.evaluation import Evaluation
from novaops.planning.live_data import RowError, ask, examine

PATIENCE = 2.0
"""Seconds that the search may take."""
TUPLES = (1 << 16) - 1
"""The largest number of a row within its page (OffsetNumber in src/include/storage/off.h)."""
TABLES = """
    WITH RECURSIVE family (oid) AS (
        SELECT {table}::pg_catalog.regclass::pg_catalog.oid
        UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent = f.oid
    )
    SELECT pg_catalog.array_agg(pg_catalog.format('%I.%I', n.nspname, c.relname) ORDER BY c.oid) FROM family f
    JOIN pg_catalog.pg_class c ON c.oid = f.oid AND c.relkind IN ('r', 'm')
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
"""
PAGES = "SELECT pg_catalog.pg_relation_size({table}) / pg_catalog.current_setting('block_size')::int"


def raising_row(connection: psycopg.Connection[Any], evaluation: Evaluation) -> str | None:
    """Return a query for the row; None where there is none, where it takes too long, or nobody may look again."""
    if evaluation.table is None or evaluation.once:
        return None
    return _Search(connection, evaluation, time.monotonic() + PATIENCE).query()


@dataclass(frozen=True, slots=True)
class _Search:
    connection: psycopg.Connection[Any]
    evaluation: Evaluation
    deadline: float

    def query(self) -> str | None:
        for table in self._tables():
            row = ask(self.connection, PAGES.format(table=quote_literal(table)))
            # Rows that come while the search runs are on its pages, or do not matter.
            page = self._first(table, "({},0)", 0, int(row[0]) if row else 0)
            if page is None:
                continue
            place = self._first(table, f"({page},{{}})", 1, TUPLES)
            if place is None:
                return None
            return f"SELECT * FROM ONLY {table} WHERE ctid = '({page},{place})'"
        return None

    def _tables(self) -> Iterator[str]:
        """The tables that the rows are in: the relation, or with its children and partitions."""
        table = self.evaluation.table or ""
        if self.evaluation.rows == f"ONLY {table}":
            yield table
            return
        row = ask(self.connection, TABLES.format(table=quote_literal(table)))
        yield from row[0] or () if row else ()

    def _first(self, table: str, ctid: str, low: int, high: int) -> int | None:
        """Halve the range until one number is left: the first for which an error is raised."""
        if not self._raises(table, ctid, low, high):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if self._raises(table, ctid, low, middle):
                high = middle
            else:
                low = middle
        return None if time.monotonic() > self.deadline else low

    def _raises(self, table: str, ctid: str, low: int, high: int) -> bool:
        left = int((self.deadline - time.monotonic()) * 1000)
        if left <= 0:
            return False
        between = f"ctid >= '{ctid.format(low)}' AND ctid < '{ctid.format(high)}'"
        rows = self.evaluation.rows_of(table, between)
        return isinstance(examine(self.connection, self.evaluation.exists(rows), f"{left}ms"), RowError)
