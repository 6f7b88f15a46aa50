"""A role for the subscription's connection alone: it may log in, replicate and read what is replicated.

Its password is generated, given to the source as a SCRAM verifier, and written into the passfile that the target's
server reads; it is in no statement, log or output.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from novaops.errors import NovaopsError
from novaops.planning.own_grants import MADE_BY_REPLICATE
from novaops.replication.declaration import Replication
from novaops.replication.pair import Pair

RIGHTS = """
SELECT r.rolcanlogin AND (r.rolreplication OR r.rolsuper),
       has_database_privilege(r.oid, current_database(), 'CONNECT'),
       r.rolsuper OR r.rolbypassrls
FROM pg_catalog.pg_roles r WHERE r.rolname = %s
"""


def lacks(source: psycopg.Connection[Any], replication: Replication) -> bool:
    """Whether the declared role is missing, or may not do what it has to."""
    if replication.role is None:
        return False
    row = source.execute(RIGHTS, [replication.role]).fetchone()
    return row is None or not (row[0] and row[1]) or any(_unreadable(source, replication))


def exists(source: psycopg.Connection[Any], role: str) -> bool:
    return bool(source.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount)


def make(pair: Pair, replication: Replication) -> None:
    """Make the role if it is missing, and give it what it lacks.

    Raises `NovaopsError` where a password is needed and there is no passfile that it can be written to.
    """
    role, source = replication.role, pair.source.connection
    assert role is not None  # noqa: S101
    name = Identifier(role)
    if not exists(source, role):
        password = _remember(replication, role)
        with source.transaction():
            # Without the verifier in the log, whatever log_statement says.
            source.execute("SET LOCAL log_statement = 'none'") if _may_hide(source) else None
            source.execute(
                SQL("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}").format(
                    name, Literal(_verifier(source, role, password))
                )
            )
            source.execute(SQL("COMMENT ON ROLE {} IS {}").format(name, Literal(MADE_BY_REPLICATE)))
    else:
        source.execute(SQL("ALTER ROLE {} LOGIN REPLICATION").format(name))
    database = Identifier(pair.source.identity.database)
    source.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name))
    for table in replication.tables:
        source.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(table.schema), name))
        columns = (
            SQL(" ({})").format(SQL(", ").join(map(Identifier, table.columns))) if table.columns else SQL("")
        )
        source.execute(
            SQL("GRANT SELECT{} ON {} TO {}").format(columns, Identifier(table.schema, table.name), name)
        )


def drop(source: psycopg.Connection[Any], replication: Replication, role: str) -> None:
    """Take its rights back and drop it."""
    if not exists(source, role):
        return
    source.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
    source.execute(SQL("DROP ROLE {}").format(Identifier(role)))
    if passfile := replication.server_conninfo.get("passfile"):
        _write_passfile(Path(passfile), role, None)


def _unreadable(source: psycopg.Connection[Any], replication: Replication) -> list[bool]:
    return [
        not source.execute(
            "SELECT has_schema_privilege(%(role)s, %(schema)s, 'USAGE')"
            " AND has_any_column_privilege(%(role)s, to_regclass(%(table)s), 'SELECT')",
            {"role": replication.role, "schema": t.schema, "table": t.qualified},
        ).fetchone()[0]  # type: ignore[index]
        for t in replication.tables
    ]


def _may_hide(source: psycopg.Connection[Any]) -> bool:
    row = source.execute("SELECT has_parameter_privilege('log_statement', 'SET')").fetchone()
    return bool(row and row[0])


def _verifier(source: psycopg.Connection[Any], role: str, password: str) -> str:
    """What PostgreSQL stores (PQencryptPasswordConn): the password itself never leaves this process."""
    return source.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()


def _remember(replication: Replication, role: str) -> str:
    """A new password, written into the passfile that the server reads."""
    passfile = replication.server_conninfo.get("passfile")
    if passfile is None:
        raise NovaopsError(
            f"the role {role} needs a password, and there is no passfile to put it into",
            detail=f"the server of {replication.target.database} has to know it, and novaops writes it nowhere else",
            hint='declare a file that its operating-system user may read: server = { passfile = "…" }; or create '
            "the role yourself (LOGIN REPLICATION) and give the server its password in a service or passfile",
        )
    password = secrets.token_urlsafe(32)
    try:
        _write_passfile(Path(passfile), role, password)
    except OSError as error:
        raise NovaopsError(
            f"the password of role {role} cannot be written into {passfile}",
            detail=error.strerror,
            hint="run novaops where the target's server runs, as a user who may write that file; or create the "
            "role yourself (LOGIN REPLICATION)",
        ) from error
    return password


def _write_passfile(path: Path, role: str, password: str | None) -> None:
    """Put the role's line first, or take it out; the file keeps its owner, and only he may read it.

    It is replaced as a whole, and is 0600 from its first moment on: libpq ignores others
    (documentation, "The Password File").
    """
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    escaped = role.replace("\\", "\\\\").replace(":", "\\:")
    kept = [line for line in before if not line.startswith(f"*:*:*:{escaped}:")]
    lines = [*([f"*:*:*:{escaped}:{password}"] if password is not None else []), *kept]
    owner = path.stat() if path.exists() else path.parent.stat()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
        if os.geteuid() == 0:
            os.chown(name, owner.st_uid, owner.st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
