"""Log in through an alias, as its clients do, and look at where that leads."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.config import Setting, run_password_command
from novaops.db.connection import ServerIdentity, identify
from novaops.pgbouncer.inventory import Alias

CONNECT_SECONDS = "10"
NOTIFY_SECONDS = 5.0
WRONG_PASSWORD = re.compile("password authentication failed|SASL authentication failed")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `good` is None for what could not be told."""

    what: str
    good: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What a login through an alias has shown. `error` says why there was none; `skipped`: none was tried."""

    alias: str
    user: str
    findings: tuple[Finding, ...] = ()
    error: str | None = None
    skipped: str | None = None
    notify_ms: float | None = field(default=None, compare=False)

    @property
    def good(self) -> bool:
        return self.error is None and self.skipped is None and all(f.good is not False for f in self.findings)

    @property
    def wrong(self) -> bool:
        """Whether something is not as it should be; a login that was not tried shows nothing."""
        return self.error is not None or any(f.good is False for f in self.findings)


def password_for(alias: Alias, given: str | None) -> str | None:
    """The password to log in with: as given, or what the alias' own command prints; None leaves it to libpq."""
    if given is None and alias.password_command:
        return run_password_command(Setting(alias.password_command, f"password_command of {alias.name}"))
    return given


def probe(
    alias: Alias,
    host: str,
    port: int,
    password: str | None,
    direct: psycopg.Connection | None,
    served_mode: str | None,
) -> Probe:
    """Log in; `direct` is a connection to the target itself, to compare with and to notify from.

    `served_mode` is how the pooler says that it pools; None where it could not be asked.
    """
    known = {
        "host": host, "port": str(port), "user": alias.user, "dbname": alias.name,
        "connect_timeout": CONNECT_SECONDS, "application_name": "novaops alias test",
    }  # fmt: skip
    if password is not None:
        known["password"] = password
    try:
        connection = psycopg.connect(**known, autocommit=True)  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        text = str(error).strip()
        if "no password supplied" in text:
            return Probe(alias.name, alias.user, skipped=f"no password of {alias.user} is at hand")
        # PGPASSWORD and ~/.pgpass may be meant for somebody else; what the server says to pgbouncer is no doubt.
        if password is None and WRONG_PASSWORD.search(text) and "server login" not in text:
            why = f"the password in PGPASSWORD or .pgpass is not that of {alias.user}"
            return Probe(alias.name, alias.user, skipped=why)
        return Probe(alias.name, alias.user, error=text.rpartition("FATAL:")[2].strip())
    with connection:
        try:
            mode = served_mode or alias.pool_mode
            findings = [*_findings(connection, alias, direct), _pooling(connection, alias.pool_mode, mode)]
            notified, milliseconds = _notified(connection, direct, mode)
        except psycopg.Error as error:
            return Probe(alias.name, alias.user, error=str(error).strip())
    return Probe(alias.name, alias.user, (*findings, notified), notify_ms=milliseconds)


def _findings(
    connection: psycopg.Connection, alias: Alias, direct: psycopg.Connection | None
) -> Iterator[Finding]:
    reached = identify(connection)
    yield Finding(
        "database", reached.database == alias.target.database, f"current_database() = {reached.database}"
    )
    row = connection.execute("SELECT session_user::text").fetchone()
    session_user = row[0] if row else ""
    same = reached.user == alias.user == session_user
    yield Finding(
        "user", same, f"current_user = {reached.user}" + ("" if same else f", session_user = {session_user}")
    )
    yield _same_server(reached, identify(direct) if direct else None)


def _same_server(reached: ServerIdentity, direct: ServerIdentity | None) -> Finding:
    if direct is None:
        return Finding("server", None, "the server was not compared: no direct connection to it")
    # An agent may not read the system identifier; the time when the server started is the next best.
    same = reached.same_server(direct)
    if same is not True:
        same = reached.started == direct.started and reached.database_oid == direct.database_oid
    text = "the server is the one that a direct connection reaches"
    return Finding("server", same, text if same else "the server is another than a direct connection reaches")


def _pooling(connection: psycopg.Connection, declared: str, mode: str) -> Finding:
    """Whether the session is one server connection. Elsewhere nothing is set that others would inherit."""
    if mode != declared:
        return Finding("pool mode", False, f"{mode} pooling, and {declared} pooling is declared")
    if mode != "session":
        return Finding("pool mode", True, f"{mode} pooling: LISTEN, SET and temporary tables do not last")
    marker = secrets.token_hex(8)
    # Not one of the settings that pgbouncer itself carries from one server connection to the next.
    connection.execute("SELECT set_config('novaops.probe', %s, false)", [marker])
    query = "SELECT pg_backend_pid(), current_setting('novaops.probe', true)"
    seen = {connection.execute(query).fetchone() for _ in range(3)}
    kept = len(seen) == 1 and all(row is not None and row[1] == marker for row in seen)
    return Finding(
        "pool mode", kept, "session pooling" if kept else "the session is not one server connection"
    )


def _notified(
    connection: psycopg.Connection, direct: psycopg.Connection | None, mode: str
) -> tuple[Finding, float | None]:
    """A LISTEN through the alias, and a NOTIFY that comes another way where there is one."""
    if mode != "session":  # the next client would inherit it
        return Finding("notify", None, f"LISTEN was not tried: it does not work under {mode} pooling"), None
    channel = f"novaops_{secrets.token_hex(6)}"
    connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
    sender = direct if direct is not None else connection
    began = time.monotonic()
    sender.execute(SQL("NOTIFY {}, 'novaops'").format(Identifier(channel)))
    heard = next(connection.notifies(timeout=NOTIFY_SECONDS, stop_after=1), None)
    if heard is None:
        return Finding("notify", False, "LISTEN heard no NOTIFY"), None
    milliseconds = (time.monotonic() - began) * 1000
    return Finding("notify", True, f"LISTEN/NOTIFY {milliseconds:.0f} ms"), milliseconds
