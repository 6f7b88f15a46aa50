"""pgbouncer's console: its database `pgbouncer`, which takes one command at a time by the simple protocol.

Columns differ between versions, so rows are read by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg.pq import ExecStatus

from novaops.errors import NovaopsError
from novaops.pgbouncer.names import RESERVED
from novaops.pgbouncer.version import Version, parse_version

Row = Mapping[str, str]
CONNECT_SECONDS = "5"
NO_WAY_IN = "there is no socket of a pgbouncer that lets this account in, and no console_user is set"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a console may be reached. `uid` is the account to connect as, by a Unix socket only."""

    host: str
    port: int
    user: str
    password: str | None = None
    uid: int | None = None

    def __repr__(self) -> str:
        return f"Place({self.user}@{self.host}:{self.port})"

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"


class Console:
    """A connection to the console; closed at the end of the context."""

    def __init__(self, connection: psycopg.Connection, place: Place) -> None:
        self._connection = connection
        self.place = place

    @classmethod
    def open(cls, place: Place) -> Self:
        """Connect; raises `psycopg.OperationalError` where nobody answers or lets us in."""
        known = {
            "host": place.host, "port": str(place.port), "user": place.user, "dbname": RESERVED,
            "connect_timeout": CONNECT_SECONDS, "application_name": "novaops",
            # A password for a database of that server would be sent to the console otherwise.
            "password": place.password if place.password is not None else "",
        }  # fmt: skip
        if place.password is None:
            del known["password"]
        with _as_account(place.uid):
            return cls(psycopg.connect(**known, autocommit=True), place)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._connection.close()

    def show(self, what: str) -> list[Row]:
        """The rows of `SHOW what`; NULL is an empty text."""
        result = self._run(f"SHOW {what}")
        names = [(result.fname(i) or b"").decode() for i in range(result.nfields)]
        return [
            {name: (result.get_value(row, i) or b"").decode(errors="replace") for i, name in enumerate(names)}
            for row in range(result.ntuples)
        ]

    def command(self, name: str, database: str | None = None) -> None:
        """RELOAD, RECONNECT, DISABLE, ENABLE, KILL …; raises `NovaopsError` with what the console says."""
        # Names are quoted as identifiers are (admin.c asks for the same tokens as SQL).
        self._run(name if database is None else f'{name} "{database.replace(chr(34), chr(34) * 2)}"')

    def version(self) -> Version:
        return parse_version(self.show("VERSION")[0]["version"])

    def _run(self, text: str) -> psycopg.pq.abc.PGresult:
        result = self._connection.pgconn.exec_(text.encode())
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            message = (result.error_message or self._connection.pgconn.error_message).decode(errors="replace")
            raise NovaopsError(
                f"the console of pgbouncer refuses {text}",
                detail=message.strip().removeprefix("ERROR:").strip(),
            )
        return result


def open_console(places: Sequence[Place]) -> Console | str:
    """The first console that lets us in, or why none does."""
    reasons = []
    for place in places:
        try:
            console = Console.open(place)
        except psycopg.OperationalError as error:
            reasons.append(f"{place}: {str(error).strip().splitlines()[-1].rpartition('FATAL:')[2].strip()}")
            continue
        try:
            console.show("VERSION")
        except NovaopsError as error:  # a user of stats_users may show, others may nothing
            reasons.append(f"{place}: {error.detail}")
            console.__exit__(None, None, None)
            continue
        return console
    return "; ".join(reasons) or NO_WAY_IN


def socket_account(folder: str, port: int) -> int | None:
    """The account that a pgbouncer runs as, by its socket; None where there is no such socket."""
    with suppress(OSError):
        return Path(folder, f".s.PGSQL.{port}").stat().st_uid
    return None


@contextmanager
def _as_account(uid: int | None) -> Iterator[None]:
    """Connect as another account, which only root can.

    pgbouncer lets the user `pgbouncer` in without a password who comes by a Unix socket from the account that
    it runs as itself (admin_pre_login() in src/admin.c); what counts is the effective user id of connect(2).
    """
    if uid is None or uid == os.geteuid() or os.geteuid() != 0:
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
