"""A second opinion on two databases: what pg_dump writes of them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from novaops.db.embedded import wheel_binaries
from novaops.errors import NovaopsError

# Owners and privileges are compared by mode, which pg_dump knows nothing of; a subscription's text holds secrets.
OPTIONS = ("--schema-only", "--no-owner", "--no-privileges", "--no-subscriptions")
# How to reach a server, in the words that the oldest pg_dump's libpq knows; a password is none of them.
PLACE = frozenset({
    "host", "hostaddr", "port", "dbname", "user", "passfile", "options", "channel_binding", "gssencmode", "krbsrvname",
    "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir", "sslsni",
})  # fmt: skip

# src/bin/pg_dump/pg_backup_archiver.c, _printTocEntry().
_HEADER = re.compile(r"^-- Name: (.*); Type: (.*); Schema: (.*); Owner: ?.*$", re.MULTILINE)
# Written where it changes, before the header of the entry that it is for.
_STATE = re.compile(r"^SET (default_tablespace|default_table_access_method) = (.*);\n?", re.MULTILINE)
_STORED = frozenset({"TABLE", "MATERIALIZED VIEW", "INDEX", "CONSTRAINT"})
# PostgreSQL cannot put a column before another.
_UNORDERED = frozenset({"TABLE", "FOREIGN TABLE", "TYPE"})
# Servers since November 2026 count changes of a column there; their own pg_dump hides it, an older one does not.
_COUNTER = re.compile(r"pg_attver=\d+(, )?")


class Entry(NamedTuple):
    """What a piece of a dump is about: `name` is pg_dump's tag, `schema` "-" outside of schemas."""

    type: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.type} {self.name if self.schema == '-' else f'{self.schema}.{self.name}'}"


Dump = Mapping[Entry, tuple[tuple[str, ...], ...]]
"""The texts of each entry, line by line."""


class PgDumpError(NovaopsError):
    """pg_dump could not read the database."""


@cache
def find(major: int) -> tuple[str, ...] | None:
    """The command of a pg_dump that reads servers of that major version: `PG_DUMP`, on the PATH, or the wheel's."""
    return next((command for command in _candidates() if _version(command) >= major), None)


def _candidates() -> Iterator[tuple[str, ...]]:
    if given := os.environ.get("PG_DUMP"):
        yield tuple(shlex.split(given))
    if found := shutil.which("pg_dump"):
        yield (found,)
    with suppress(NovaopsError):
        yield (str(wheel_binaries() / "bin/pg_dump"),)


def _version(command: tuple[str, ...]) -> int:
    """Its major version; 0 when it does not run."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"\d+", done.stdout)
    return int(number[0]) if number else 0


def dump(command: tuple[str, ...], connection: psycopg.Connection[Any], *options: str) -> Dump:
    """What pg_dump, run as `command`, writes of the definitions in the connection's database.

    Raises `PgDumpError`. The password goes by the child's environment, where only its owner sees it.
    """
    known = {k: v for k, v in connection.info.get_parameters().items() if k in PLACE}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    if connection.info.password:
        environment["PGPASSWORD"] = connection.info.password
    try:
        done = subprocess.run(  # noqa: S603
            [*command, *OPTIONS, *options, "--no-password", "--dbname", make_conninfo(**known)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    except OSError as error:
        raise PgDumpError(f"pg_dump does not run: {error.strerror}") from error
    if done.returncode != 0:
        raise PgDumpError(f"pg_dump failed: {done.stderr.strip().partition(chr(10))[0]}")
    return entries(done.stdout)


def entries(text: str) -> Dump:
    """The dump in pieces; what has no order in a database has none here."""
    start, *parts = _HEADER.split(text.partition("\n--\n-- PostgreSQL database dump complete")[0])
    state = dict(_STATE.findall(start))
    found: dict[Entry, list[tuple[str, ...]]] = {}
    for name, kind, schema, body in zip(*(parts[i::4] for i in range(4)), strict=True):
        lines = [line for line in (_line(line) for line in _STATE.sub("", body).splitlines()) if line]
        if kind in _UNORDERED and not any(line.endswith(" AS ENUM (") for line in lines):
            lines = sorted(line.removesuffix(",") for line in lines)
        if kind in _STORED:
            lines += [f"{setting} {value}" for setting, value in sorted(state.items())]
        found.setdefault(Entry(kind, schema, name), []).append(tuple(lines))
        state.update(_STATE.findall(body))
    return {entry: tuple(sorted(texts)) for entry, texts in found.items()}


def _line(line: str) -> str:
    """The line as far as it says something."""
    kept = _COUNTER.sub("", line)
    return "" if kept in ("", "--") or kept.endswith(" SET ();") else kept


def differences(found: Dump, wanted: Dump) -> list[Entry]:
    """Entries that are in one of the two only, or have other texts there."""
    return sorted(e for e in found.keys() | wanted.keys() if found.get(e) != wanted.get(e))
