"""Takes over what another tool, or a person, has run already: files against the table that tells of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg

from novaops.errors import NovaopsError, UsageError
from novaops.execution.pre_migrations.files import Migration
from novaops.invocation import command_line

NAMES = ("_sqlx_migrations", "migrations")
LEADING = re.compile(r"[0-9]+")
SUFFIXES = re.compile(r"(\.up|\.post|\.data)?\.sql$")


@dataclass(frozen=True, slots=True)
class Adoption:
    """What adopting would record. `source` is the table that tells what has run, None: all files have.

    `without_file` are versions in the table that no file has, `left` files that it does not know.
    """

    source: str | None
    files: tuple[Migration, ...]
    without_file: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def history_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Tables of other tools that are known by their names, quoted with their schemas."""
    query = files(__package__).joinpath("history.sql").read_text()
    return [row[0] for row in connection.execute(query, [list(NAMES)])]


def from_table(connection: psycopg.Connection[Any], table: str, pending: Sequence[Migration]) -> Adoption:
    """The pending files that the table says have run, by its column `version`.

    A version is the beginning of a file's name ("3" and "0003" are 0003_fix.sql), or all of it. Raises
    `NovaopsError` where the table says that one failed, or ran with another text (sqlx keeps a SHA-384).
    """
    rows = _rows(connection, table)
    unknown = {row["version"]: row for row in rows}
    adopted, left, doubts, doubtful = [], [], [], []
    for migration in pending:
        row = next((unknown.pop(v) for v in list(unknown) if _is(migration.name, str(v))), None)
        if row is None:
            left.append(migration.name)
            continue
        doubt = _doubt(migration, row)
        if doubt is not None:
            doubts.append(f"{migration.name}: {doubt}")
            doubtful.append(migration.name)
        adopted.append(migration)
    if doubts:
        raise NovaopsError(
            f"{table} contradicts the files; nothing was recorded",
            detail="\n".join(doubts),
            hint="take the edit back, or record a file as it is now: "
            + command_line("migrations accept", arguments=doubtful[:1]),
        )
    return Adoption(table, tuple(adopted), tuple(str(v) for v in unknown), tuple(left))


def _rows(connection: psycopg.Connection[Any], table: str) -> list[Mapping[str, Any]]:
    row = connection.execute(
        "SELECT c.oid::regclass::text FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(%s)"
        " AND EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attname = 'version')",
        [table],
    ).fetchone()
    if row is None:
        raise UsageError(
            f"there is no table {table} with a column version",
            hint="name it as in SQL: --from schema.table",
        )
    return [r[0] for r in connection.execute(f"SELECT to_jsonb(t) FROM {row[0]} t ORDER BY t.version")]


def _is(name: str, version: str) -> bool:
    stem = SUFFIXES.sub("", name)
    leading = LEADING.match(stem)
    same_number = leading is not None and version.isdecimal() and int(leading[0]) == int(version)
    return same_number or version in (name, stem)


def _doubt(migration: Migration, row: Mapping[str, Any]) -> str | None:
    if row.get("success") is False:
        return "it failed there, and what of it has run is not known"
    checksum = row.get("checksum")
    if isinstance(checksum, str) and checksum.startswith("\\x") and len(checksum) == 2 + 96:
        now = hashlib.sha384(migration.path.read_bytes()).hexdigest()
        if checksum[2:] != now:
            return f"it ran with another text (sha384 {checksum[2:14]}…, the file has {now[:12]}…)"
    return None
