"""Aliases that the `agents` table asks for: persistent agents without one, and ephemeral agents with one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from psycopg import errors

from novaops.errors import NovaopsError
from novaops.pgbouncer.inventory import Inventory, alias_name
from novaops.pgbouncer.server import Server


@dataclass(frozen=True, slots=True)
class Proposal:
    """One agent whose alias is missing, or should not be. `command` are the words that do it."""

    operation: str
    """`add` or `remove`."""
    agent: str
    alias: str
    role: str
    reason: str
    has_role: bool
    command: tuple[str, ...]


def propose(inventory: Inventory, server: Server) -> list[Proposal]:
    """Compare the table `agents` of the server's database with the inventory."""
    try:
        rows = server.connection.execute(Path(__file__).with_name("propose.sql").read_text()).fetchall()
    except errors.UndefinedTable:
        raise NovaopsError(
            f"{server.identity} has no table agents", hint="name the database that has it with --database"
        ) from None
    by_user = {a.user: a for a in inventory.aliases}
    by_name = {a.name: a for a in inventory.aliases}
    found = []
    for agent, role, active, persistent, rationale, has_role in rows:
        name = alias_name(role, inventory.settings)
        alias = by_user.get(role) or by_name.get(name)
        if alias is None and active and persistent:
            words = ["novaops", "alias", "add", role, *(["--rationale", rationale] if rationale else [])]
            words += [] if has_role else ["--create-role", "--password-stdin"]
            found.append(
                Proposal("add", agent, name, role, rationale or "persistent", has_role, tuple(words))
            )
        elif alias is not None and not (active and persistent):
            reason = "ephemeral: reports back to the agent that called it" if active else "not active"
            words = ["novaops", "alias", "remove", alias.name]
            found.append(Proposal("remove", agent, alias.name, alias.user, reason, has_role, tuple(words)))
    return found
