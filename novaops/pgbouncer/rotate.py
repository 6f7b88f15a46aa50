"""A new password for the user of an alias, on the server and in the pooler.

Both cannot change in one step. The role is changed in a transaction that stays open while userlist.txt is
written; it is committed right before RELOAD, so the moment in which the two differ is as short as it can be. A run
that is killed within it leaves the server ahead: `novaops alias apply` (or any later change) reads the
verifier again. Agents that are connected stay so throughout.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from novaops.errors import NovaopsError, UsageError
from novaops.invocation import command_line
from novaops.pgbouncer.server import Server


class Rotation:
    """The change of one role; `commit` is called when the files are written, `undo` where that went wrong."""

    def __init__(self, server: Server, role: str, verifier: str) -> None:
        self.server = server
        self.role = role
        roles = server.roles([role])
        if roles is None:
            raise NovaopsError(
                f"{server.identity.user} may not read and change the verifier of {role}",
                hint="connect as a superuser: --user postgres",
            )
        if role not in roles:
            raise NovaopsError(
                f"the server has no role {role}",
                hint=f"{command_line('alias add', '--create-role', '--password-stdin', arguments=[role])} makes it",
            )
        self.before = roles[role].verifier
        self.committed = False
        server.connection.execute("BEGIN")
        server.set_verifier(role, verifier)

    def commit(self) -> None:
        self.server.connection.execute("COMMIT")
        self.committed = True

    def undo(self) -> None:
        """The verifier of before, byte for byte."""
        if not self.committed:
            self.server.connection.execute("ROLLBACK")
        elif self.before is not None:
            self.server.set_verifier(self.role, self.before)
        else:
            self.server.connection.execute(SQL("ALTER ROLE {} PASSWORD NULL").format(Identifier(self.role)))

    def undo_quietly(self) -> str | None:
        """`undo`, or why it failed."""
        try:
            self.undo()
        except psycopg.Error as error:
            return str(error).strip()
        return None


def generated(path: Path) -> str:
    """A new password, written to a new file that only its owner may read, before anything else is changed."""
    password = secrets.token_urlsafe(24)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists already", hint="name a file that does not exist yet") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{password}\n")
        file.flush()
        os.fsync(file.fileno())
    return password


def discard(path: Path | None) -> None:
    """Remove a password that did not come into use."""
    if path is None:
        return
    with suppress(FileNotFoundError):
        path.unlink()
