"""Expressions that a change makes PostgreSQL evaluate for every row, as queries on the live data; not a kind itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Values and a condition over the rows of a relation, evaluated in the order in which PostgreSQL does it.

    The condition comes first, and the values are computed for the rows that satisfy it, as in an index
    with a predicate (FormIndexDatum() follows ExecQual() in src/backend/access/heap/heapam_handler.c).
    """

    rows: str
    """What stands behind FROM: a relation, with ONLY where its children are not read, or a subquery."""
    alias: str
    """The name under which the expressions know the relation."""
    values: tuple[str, ...] = ()
    condition: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    """(value, name) of the columns as the plan leaves them; empty where they stay as they are."""
    table: str | None = None
    """The relation whose rows are read, where a single row can be pointed out."""
    once: bool = False
    """Whether it runs volatile functions, so that no row may be evaluated more often than PostgreSQL does."""

    def query(self, rows: str | None = None) -> str:
        """Return a query that evaluates `rows` (by default all of them), finds nothing, and may raise an error.

        OFFSET 0 keeps the planner from evaluating an expression before the rows are chosen.
        """
        source = rows or self.rows
        if self.columns:
            listed = ", ".join(f"{value} AS {name}" for value, name in self.columns)
            source = f"(SELECT {listed} FROM {source} AS {self.alias} OFFSET 0)"
        # An aggregate evaluates its argument: what nobody uses the planner leaves out.
        counted = " + ".join(f"pg_catalog.count({value})" for value in self.values or ("*",))
        where = f" WHERE {self.condition}" if self.condition else ""
        return f"SELECT true FROM {source} AS {self.alias}{where} HAVING {counted} < 0"

    def exists(self, rows: str | None = None) -> str:
        """Return the same as a query whose only row is false."""
        return f"SELECT EXISTS ({self.query(rows)})"

    def rows_of(self, table: str, condition: str) -> str:
        """Return a subquery for the rows of one table that satisfy a condition on their place."""
        return f"(SELECT * FROM ONLY {table} WHERE {condition} OFFSET 0)"
