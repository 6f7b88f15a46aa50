"""Connections to a server: opened, checked to be what they seem, and freed of surprising settings."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from novaops.db.environment import is_complete, without_libpq_variables
from novaops.db.session_settings import pin
from novaops.errors import NovaopsError
from novaops.invocation import command_line

OLDEST = 15
CONNECT_TIMEOUT = "10"
IDENTITY = """
SELECT current_database(),
       (SELECT oid FROM pg_database WHERE datname = current_database()),
       current_user,
       current_setting('server_version'),
       pg_postmaster_start_time(),
       has_function_privilege('pg_control_system()', 'EXECUTE')
"""
# A query of its own: a function in FROM is checked before anything in the query decides to call it.
SYSTEM_IDENTIFIER = "SELECT system_identifier FROM pg_control_system()"


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Which database of which server a connection has reached."""

    host: str
    port: int
    database: str
    database_oid: int
    user: str
    version: str
    """`server_version` as the server writes it: "18.4 (Debian 18.4-1)"."""
    version_num: int
    started: datetime
    system_identifier: int | None
    """Of the cluster, equal on its physical replicas; None where reading it is not permitted."""

    @property
    def major(self) -> int:
        return self.version_num // 10000

    def __str__(self) -> str:
        return f"{self.database} on {self.host}:{self.port}"

    def same_server(self, other: ServerIdentity) -> bool | None:
        """Whether both are databases of one running server; None when that cannot be told.

        The system identifier alone is not enough: a physical copy has the same.
        """
        if self.system_identifier is None or other.system_identifier is None:
            return None if self.started == other.started else False
        return (self.system_identifier, self.started) == (other.system_identifier, other.started)


def connect(conninfo: str | Mapping[str, str]) -> psycopg.Connection:
    """A direct connection, in autocommit mode, to a primary of a supported version.

    `conninfo` is a URL, libpq's `key=value` text or its keywords as a mapping; with an empty `service`
    the environment adds nothing to it (`novaops.db.environment`).
    """
    given = conninfo_to_dict(conninfo) if isinstance(conninfo, str) else dict(conninfo)
    known: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT,
        **given,
        "application_name": "novaops",
        "client_encoding": "utf8",
    }
    complete = is_complete(known)
    if complete:
        del known["service"]
    try:
        with without_libpq_variables() if complete else nullcontext():
            connection = psycopg.connect(make_conninfo(**known), autocommit=True)
    except psycopg.OperationalError as error:
        raise refusal(known, str(error)) from error
    try:
        _check(connection)
        _pin(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def reset(connection: psycopg.Connection) -> None:
    """The session as `connect` made it: own role, settings, no temporary table; advisory locks stay.

    DISCARD ALL would release the locks. RESET ALL leaves the role alone (documentation, RESET).
    """
    connection.execute(
        "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP"
    )
    _pin(connection)


def _pin(connection: psycopg.Connection) -> None:
    pin(connection)
    # Otherwise a server builds an index to its end, under our lock, for a process that was killed.
    with (
        suppress(psycopg.errors.InvalidParameterValue),
        connection.transaction(),
    ):  # not every system can tell
        connection.execute("SET client_connection_check_interval = '1s'")


def ensure_database(server: Mapping[str, str], name: str) -> dict[str, str]:
    """Parameters of database `name` of a server of our own, which is made if it is not there."""
    with connect({**server, "dbname": "postgres"}) as maintenance:
        if not maintenance.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
            maintenance.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return {**server, "dbname": name}


def identify(connection: psycopg.Connection) -> ServerIdentity:
    """Ask the server who it is."""
    row = connection.execute(IDENTITY).fetchone()
    assert row is not None  # noqa: S101
    database, oid, user, version, started, permitted = row
    control = connection.execute(SYSTEM_IDENTIFIER).fetchone() if permitted else None
    info = connection.info
    return ServerIdentity(
        host=info.host,
        port=info.port,
        database=database,
        database_oid=oid,
        user=user,
        version=version,
        version_num=info.server_version,
        started=started,
        system_identifier=control[0] if control else None,
    )


def _check(connection: psycopg.Connection) -> None:
    info = connection.info
    place = f"{info.host}:{info.port}"
    row = connection.execute("SELECT pg_backend_pid(), pg_is_in_recovery()").fetchone()
    assert row is not None  # noqa: S101
    backend, standby = row
    # The pid of the cancel key, which a pooler makes up, is not that of the backend it lends us.
    if info.backend_pid != backend:
        raise NovaopsError(
            f"{place} is a connection pooler, not PostgreSQL",
            detail="session locks and settings do not survive in a pool, so novaops connects directly",
            hint="give the host and port of the server itself, for example --port 5432",
        )
    if info.server_version < OLDEST * 10000:
        raise NovaopsError(
            f"{place} runs PostgreSQL {info.parameter_status('server_version')}",
            detail=f"novaops supports PostgreSQL {OLDEST} and later",
            hint="upgrade the server",
        )
    if standby:
        raise NovaopsError(
            f"{place} is a standby (in recovery): it cannot be changed",
            hint="connect to the primary, or name all hosts in --url and add target_session_attrs=read-write",
        )


# -- why a connection failed ----------------------------------------------------------------


def refusal(known: Mapping[str, Any], text: str) -> NovaopsError:
    """The error for a connection that failed.

    libpq does not hand out the SQLSTATE of a failed connection (PQresultErrorField needs a result),
    so the message is all there is; one that is not recognised, in another language perhaps, is
    passed on as it is.
    """
    for sign, explain in CAUSES:
        if sign in text:
            return explain(known, _server_message(text))
    return NovaopsError(f"cannot connect to {_place(known)}", detail=_server_message(text))


def _place(known: Mapping[str, Any]) -> str:
    if known.get("service"):
        return f"service {known['service']}"
    host, port = known.get("host") or "the local socket", known.get("port") or "5432"
    return f"{host}, port {port}" if str(host).startswith("/") else f"{host}:{port}"


def _server_message(text: str) -> str:
    """What the server said, without what psycopg and libpq put before it."""
    return text.rpartition("FATAL:")[2].strip().removeprefix("connection failed: ")


def _unreachable(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"no PostgreSQL server answers at {_place(known)}",
        detail=text,
        hint="is it running, and does it listen there (listen_addresses, port, firewall)? "
        f"{command_line('config explain')} says where host and port come from; --embedded starts a server of its own",
    )


def _unresolved(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"the host name {known.get('host')} is not known",
        detail=text,
        hint=f"check the spelling; {command_line('config explain')} says where it comes from",
    )


def _wrong_password(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"{_place(known)} does not accept the password",
        detail=text,
        hint="give the right one in PGPASSWORD, ~/.pgpass, a service file or password_command",
    )


def _no_password(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"{_place(known)} asks for a password and none was given",
        detail=text,
        hint="give it in PGPASSWORD, ~/.pgpass (mode 0600), a service file or password_command",
    )


def _no_role(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"{_place(known)} does not let the role in",
        detail=text,
        hint=f"name another with --user; {command_line('config explain')} says where it comes from",
    )


def _no_database(known: Mapping[str, Any], text: str) -> NovaopsError:
    names = _databases(known)
    wanted = str(known.get("dbname") or known.get("user") or "")
    similar = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5) or names[:8]
    hint = f"createdb {wanted} makes it" if wanted else "name one with --database"
    if similar:
        hint = f"there is: {', '.join(similar)}; {hint}"
    return NovaopsError(f"{_place(known)} has no such database", detail=text, hint=hint)


def _databases(known: Mapping[str, Any]) -> list[str]:
    """The databases of the server, as far as this login may ask it."""
    try:
        with psycopg.connect(make_conninfo(**{**known, "dbname": "postgres"}), autocommit=True) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE NOT datistemplate AND datallowconn ORDER BY 1"
            ).fetchall()
    except psycopg.Error:
        return []
    return [row[0] for row in rows]


def _no_hba_entry(known: Mapping[str, Any], text: str) -> NovaopsError:
    ssl = "no encryption" in text and known.get("sslmode") == "disable"
    return NovaopsError(
        f"pg_hba.conf of {_place(known)} has no entry for this connection",
        detail=text,
        hint="the server may want TLS: try sslmode=require"
        if ssl
        else "add a line for this database, user and address to pg_hba.conf and reload the server",
    )


def _not_local(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"{_place(known)} lets this role in from another operating-system user only",
        detail=text,
        hint="run as that user, or connect by TCP with --host localhost and a password",
    )


def _ssl(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"no TLS connection with {_place(known)}",
        detail=text,
        hint="check sslmode, sslrootcert and the host name in the server's certificate "
        "(sslmode=prefer connects without TLS where the server has none)",
    )


def _pooler(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"{_place(known)} is a connection pooler, not PostgreSQL",
        detail=text,
        hint="give the host and port of the server itself, for example --port 5432",
    )


def _no_slot(known: Mapping[str, Any], text: str) -> NovaopsError:
    return NovaopsError(
        f"{_place(known)} has no free connection",
        detail=text,
        hint="close idle sessions (pg_stat_activity) or raise max_connections, then try again",
    )


# In order: a message may contain several of these.
CAUSES: tuple[tuple[str, Callable[[Mapping[str, Any], str], NovaopsError]], ...] = (
    ("unsupported startup parameter", _pooler),
    ("password authentication failed", _wrong_password),
    ("no password supplied", _no_password),
    ("no pg_hba.conf entry", _no_hba_entry),
    ("pg_hba.conf rejects", _no_hba_entry),
    ("eer authentication failed", _not_local),
    ("not permitted to log in", _no_role),
    ('FATAL:  role "', _no_role),
    ('FATAL:  database "', _no_database),
    ("too many clients", _no_slot),
    ("remaining connection slots", _no_slot),
    ("too many connections", _no_slot),
    ("SSL", _ssl),
    ("certificate", _ssl),
    ("failed to resolve", _unresolved),
    ("could not translate host name", _unresolved),
    ("Connection refused", _unreachable),
    ("No such file or directory", _unreachable),
    ("timeout expired", _unreachable),
    ("No route to host", _unreachable),
    ("Network is unreachable", _unreachable),
)
