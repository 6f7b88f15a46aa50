"""The throwaway database in which the declared files run."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from novaops.db.connection import connect, identify
from novaops.db.environment import parameters
from novaops.errors import NovaopsError, RefusedError, UsageError

PREFIX = "novaops_shadow_"
LOCK_CLASS = int.from_bytes(b"shad")
"""First key of the advisory lock that the maker of a shadow holds; the second is in the name.

It is another one than that of the locks in `db.advisory_lock`, whose second keys would be taken for such.
"""

_NAME = re.compile(PREFIX + r"\d+_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Locale:
    """Encoding and locale of a database, in the terms of CREATE DATABASE."""

    encoding: str
    provider: str
    collate: str
    ctype: str
    locale: str | None = None
    rules: str | None = None

    def options(self) -> sql.Composable:
        provider = {"c": "libc", "i": "icu", "b": "builtin"}[self.provider]
        parts = [
            sql.SQL("ENCODING {} LOCALE_PROVIDER {} LC_COLLATE {} LC_CTYPE {}").format(
                self.encoding, sql.SQL(provider), self.collate, self.ctype
            )
        ]
        if self.locale is not None and self.provider in "ib":
            option = "ICU_LOCALE {}" if self.provider == "i" else "BUILTIN_LOCALE {}"
            parts.append(sql.SQL(option).format(self.locale))
        if self.rules is not None:
            parts.append(sql.SQL("ICU_RULES {}").format(self.rules))
        return sql.SQL(" ").join(parts)


def locale_of(connection: psycopg.Connection[Any]) -> Locale:
    """Encoding and locale of the connection's database."""
    version = connection.info.server_version
    locale = "datlocale" if version >= 170000 else "daticulocale"
    rules = "daticurules" if version >= 160000 else "NULL"
    row = connection.execute(
        f"SELECT pg_encoding_to_char(encoding), datlocprovider::text, datcollate, datctype, {locale}, {rules}"
        " FROM pg_catalog.pg_database WHERE datname = current_database()"
    ).fetchone()
    assert row is not None  # noqa: S101
    return Locale(*row)


@contextmanager
def shadow(target: psycopg.Connection[Any], url: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A connection to an empty database for the declared files of `target`.

    Without a URL the database is created on the target's server, like the target, and dropped;
    with one, the database there is used and left as it was.
    """
    if url is not None:
        with external(url, target) as connection:
            yield connection
        return
    with created(make_conninfo(**parameters(target)), locale_of(target)) as connection:
        yield connection


@contextmanager
def created(url: str, locale: Locale | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database made on the server of `url`; dropped whatever happens."""
    with closing(connect(url)) as maintenance:
        sweep(maintenance, url)
        token = secrets.randbits(31)
        name = f"{PREFIX}{os.getpid()}_{token:08x}"
        # Held until this connection ends, from before the database exists until after it is gone:
        # whoever sees the database without the lock knows that its maker is dead.
        maintenance.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, token])
        try:
            _create(maintenance, name, locale)
            with closing(connect(_elsewhere(url, name))) as connection:
                yield connection
        except BaseException:
            # What went wrong first is what people need to know; the next run sweeps up.
            with suppress(psycopg.Error, NovaopsError):
                _drop(maintenance, url, name)
            raise
        _drop(maintenance, url, name)


def _create(maintenance: psycopg.Connection[Any], name: str, locale: Locale | None) -> None:
    options = locale.options() if locale else sql.SQL("ENCODING 'UTF8'")
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(name), options)
    try:
        maintenance.execute(statement)
    except errors.InsufficientPrivilege:
        raise NovaopsError(
            f"the shadow database cannot be created: role {maintenance.info.user} lacks CREATEDB",
            detail="The declared files run in a throwaway database before they are compared.",
            hint="use --shadow embedded, or --shadow URL of an empty database on a server of the same major"
            f" version, or ALTER ROLE {maintenance.info.user} CREATEDB",
        ) from None
    except psycopg.Error as error:
        raise NovaopsError(
            f"the shadow database cannot be created: {error.diag.message_primary or error}",
            detail=error.diag.message_detail,
            hint="use --shadow embedded, or --shadow URL of an empty database",
        ) from None


def _drop(maintenance: psycopg.Connection[Any], url: str, name: str) -> None:
    """Drop the database; an interrupt comes through afterwards."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    try:
        if maintenance.closed:
            with closing(connect(url)) as again:
                _drop(again, url, name)
            return
        _forget_subscriptions(maintenance, url, name)
        maintenance.execute(statement)
    except KeyboardInterrupt:
        maintenance.execute(statement)
        raise


def _forget_subscriptions(maintenance: psycopg.Connection[Any], url: str, name: str) -> None:
    """A database that holds subscriptions cannot be dropped; here they never connected anywhere."""
    found = maintenance.execute(
        "SELECT s.subname FROM pg_catalog.pg_subscription s"
        " JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = %s",
        [name],
    ).fetchall()
    if not found:
        return
    with closing(connect(_elsewhere(url, name))) as inside:
        for (subscription,) in found:
            identifier = sql.Identifier(subscription)
            inside.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(identifier))
            inside.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(identifier))
            inside.execute(sql.SQL("DROP SUBSCRIPTION {}").format(identifier))


def sweep(maintenance: psycopg.Connection[Any], url: str) -> None:
    """Drop the shadows of runs that were killed: those whose maker's lock nobody holds.

    Advisory locks are local to a database, but pg_locks shows those of all databases. A database
    that someone is connected to stays (no FORCE), as does one that is not ours to drop.
    """
    names = maintenance.execute(
        "SELECT datname FROM pg_catalog.pg_database WHERE starts_with(datname, %s)", [PREFIX]
    ).fetchall()
    if not names:
        return
    held = maintenance.execute(
        "SELECT objid::bigint FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted",
        [LOCK_CLASS],
    ).fetchall()
    alive = {key for (key,) in held}
    for (name,) in names:
        match = _NAME.fullmatch(name)
        if match is not None and int(match[1], 16) not in alive:
            with suppress(errors.InsufficientPrivilege, errors.ObjectInUse, errors.InvalidCatalogName):
                _forget_subscriptions(maintenance, url, name)
                maintenance.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _elsewhere(url: str, database: str) -> str:
    """The same server and credentials, another database."""
    known: dict[str, Any] = {k: v for k, v in conninfo_to_dict(url).items() if v is not None}
    return make_conninfo(**{**known, "dbname": database})


@contextmanager
def external(url: str, target: psycopg.Connection[Any] | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A connection to an empty database that somebody made; everything done to it is rolled back."""
    with closing(connect(url)) as connection:
        name = connection.info.dbname
        if target is not None:
            _check_apart(connection, target)
        if (found := _first_object(connection)) is not None:
            raise UsageError(
                f"the shadow database {name} is not empty: it holds {found}",
                hint=f"make an empty one: CREATE DATABASE {PREFIX}empty TEMPLATE template0",
            )
        connection.autocommit = False
        try:
            yield connection
        finally:
            if not connection.closed:
                connection.rollback()


def _check_apart(connection: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> None:
    here, there = identify(connection), identify(target)
    # Where the system identifier may not be read, an equal start is taken for the same server.
    if here.same_server(there) is not False and here.database_oid == there.database_oid:
        raise RefusedError(
            f"the shadow is the target itself, {here}",
            hint="name another, empty database with --shadow",
        )
    if here.major != there.major:
        raise UsageError(
            f"the shadow's server is PostgreSQL {here.major}, the target's is {there.major}",
            detail="Definitions read back from the catalogs differ between major versions.",
            hint=f"name an empty database on PostgreSQL {there.major} with --shadow",
        )


def _first_object(connection: psycopg.Connection[Any]) -> str | None:
    """Return something in the database that neither initdb nor an extension put there."""
    query = files("novaops.desired").joinpath("first_object.sql").read_text(encoding="utf-8")
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else str(row[0])
