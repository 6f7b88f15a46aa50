"""A row that a table takes, made from the types and defaults of its columns or after a row that is there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from novaops.replication.proof.rows import Rows, Shape
from novaops.replication.proof.state import query

TEXT = "novaops sentinel"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be written (pg_attribute, pg_type)."""

    name: str
    type: str
    category: str
    """`pg_type.typcategory`."""
    type_name: str
    required: bool
    has_default: bool
    unique: bool
    first_label: str | None
    element_category: str | None


class NoSentinel(Exception):
    """The table does not take a row that is made for it; the text says why."""


def insert(connection: psycopg.Connection[Any], rows: Rows, statement: str | None = None) -> tuple[str, ...]:
    """Insert a row that is replicated, in the transaction that is open; returns its key.

    `statement` is the declaration's own way to do so. Raises `NoSentinel` where none succeeds.
    """
    if statement is not None:
        try:
            return _by_statement(connection, rows, statement)
        except psycopg.Error as error:
            raise NoSentinel(f"the declared statement fails: {error.diag.message_primary}") from error
    described = connection.execute(
        query("sentinel_columns.sql"), {"table": rows.shape.table.qualified}
    ).fetchall()
    columns = [Column(*row) for row in described]
    refused: list[str] = []
    for candidate in (_made, _like_another):
        try:
            with connection.transaction():
                key = candidate(connection, rows, columns)
                if not rows.versions_of([key]):
                    raise NoSentinel("a row like this is outside of the row filter")
                return key
        except psycopg.Error as error:
            refused.append(error.diag.message_primary or str(error))
        except NoSentinel as error:
            refused.append(str(error))
    raise NoSentinel("; ".join(dict.fromkeys(refused)))


def _by_statement(connection: psycopg.Connection[Any], rows: Rows, statement: str) -> tuple[str, ...]:
    """Run the statement, and find the row that it has written: by the transaction, which has no savepoint."""
    # It is written for the search_path that the database gives its users; the session's is empty.
    connection.execute("SET LOCAL search_path TO DEFAULT")
    connection.execute(statement.encode())
    connection.execute("SET LOCAL search_path = ''")
    names = SQL(", ").join(SQL("{}::text").format(Identifier(c.name)) for c in rows.shape.key)
    found = connection.execute(
        SQL("SELECT {} FROM {} WHERE xmin = pg_current_xact_id()::xid").format(names, rows.relation)
    ).fetchone()
    if found is None:
        raise NoSentinel(f"the declared statement has written no row of {rows.shape.table}")
    return tuple(found)


def _made(connection: psycopg.Connection[Any], rows: Rows, columns: list[Column]) -> tuple[str, ...]:
    needed = [c for c in columns if not c.has_default and (c.required or c.unique)]
    values = [value(column, rows) for column in needed]
    names = [Identifier(column.name) for column in needed]
    source = SQL("SELECT {}").format(SQL(", ").join(values))
    return _inserted(connection, rows, names, source)


def _like_another(connection: psycopg.Connection[Any], rows: Rows, columns: list[Column]) -> tuple[str, ...]:
    copied = [c for c in columns if not (c.unique and c.has_default)]
    values = [value(c, rows) if c.unique else SQL("{}").format(Identifier(c.name)) for c in copied]
    source = SQL("SELECT {} FROM {} WHERE {} LIMIT 1").format(
        SQL(", ").join(values), rows.relation, rows.condition
    )
    return _inserted(connection, rows, [Identifier(c.name) for c in copied], source)


def _inserted(
    connection: psycopg.Connection[Any], rows: Rows, names: list[Identifier], source: Composed
) -> tuple[str, ...]:
    into = SQL("({}) ").format(SQL(", ").join(names)) if names else SQL("")
    what: SQL | Composed = source if names else SQL("DEFAULT VALUES")
    key = SQL(", ").join(SQL("{}::text").format(Identifier(column.name)) for column in rows.shape.key)
    row = connection.execute(
        SQL("INSERT INTO {} {}{} RETURNING {}").format(rows.relation, into, what, key), {}
    ).fetchone()
    if row is None:
        raise NoSentinel("the table has no row to be like, or a trigger or rule lets none in")
    return tuple(row)


def value(column: Column, rows: Rows) -> Composed:
    """An expression of the column's type; NULL where there is no telling what it takes."""
    name, kind = Identifier(column.name), SQL(column.type)
    # Numbers count down from the smallest key, where no sequence ever comes.
    if column.category == "N" and column.unique:
        return SQL("(SELECT coalesce(min({}), 0) - 1 FROM {})").format(name, rows.relation)
    if column.category == "D":
        return SQL("CAST(now() AS {})").format(kind)
    if column.type_name == "uuid":
        return SQL("gen_random_uuid()").format()
    return SQL("CAST({} AS {})").format(Literal(_text(column)), kind)


def _text(column: Column) -> str | None:
    text = f"{TEXT} {secrets.token_hex(4)}" if column.unique else TEXT
    by_type = {"json": "{}", "jsonb": "{}", "bytea": "", "xml": "<novaops/>"}
    element = {"S": "{novaops}", "N": "{0}"}
    by_category = {
        "S": text,
        "N": "0",
        "B": "false",
        "T": "0",
        "R": "empty",
        "I": "127.0.0.1",
        "E": column.first_label,
        "A": element.get(column.element_category or "", "{}"),
    }
    return by_type.get(column.type_name, by_category.get(column.category))


def delete(connection: psycopg.Connection[Any], rows: Rows, key: tuple[str, ...]) -> None:
    """Delete it again, in the same transaction."""
    connection.execute(SQL("DELETE FROM {} WHERE {}").format(rows.relation, rows.among()), rows.arrays([key]))


def carries(shape: Shape) -> bool:
    """Whether the row could be found again."""
    return bool(shape.key)
