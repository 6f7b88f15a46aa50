"""How many server connections the pooler may open at worst, against what the server has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from novaops.pgbouncer.grammar import Entry, Ini
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.inventory import Alias, Inventory
from novaops.pgbouncer.names import EVERYTHING
from novaops.pgbouncer.server import Server

DEFAULT_POOL = 20
"""default_pool_size of pgbouncer."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Server connections to one server.

    `worst` counts each alias of novaops for its own user and every other entry for all users; in `anybody` every
    user of userlist.txt comes by every entry, which pgbouncer does not prevent.
    """

    server: str
    worst: int
    anybody: int
    maximum: int
    """max_connections."""
    available: int
    """Of these, what is not reserved for superusers."""
    open_ended: bool = False
    """Whether an entry * may open pools for any database."""

    @property
    def exceeded(self) -> bool:
        return self.worst > self.available


def budget(
    inventory: Inventory,
    installation: Installation,
    servers: Mapping[tuple[str, int, str], Server],
    alias: Alias | None,
) -> Budget | None:
    """The budget of the server that the alias, or else the first one, leads to; None where it cannot be asked."""
    chosen = alias or next(iter(inventory.aliases), None)
    if chosen is None:
        return None
    target = chosen.target
    server = servers.get((target.host, target.port, target.database))
    if server is None:
        return None
    return budget_of(inventory, installation, server, target.host, target.port)


def budget_of(
    inventory: Inventory, installation: Installation, server: Server, host: str, port: int
) -> Budget:
    """The budget of one server."""
    ini = installation.ini
    users = len(set(installation.userlist.secrets())) or 1
    own = {a.name for a in inventory.aliases}
    worst = anybody = 0
    for name, entry in ini.databases().items():
        if name == EVERYTHING or (entry.pairs.get("host"), entry.pairs.get("port", "5432")) != (
            host,
            str(port),
        ):
            continue
        forced = "user" in entry.pairs
        worst += _most(entry, ini, 1 if name in own or forced else users)
        anybody += _most(entry, ini, 1 if forced else users)
    maximum, available = server.limits()
    return Budget(f"{host}:{port}", worst, anybody, maximum, available, EVERYTHING in ini.databases())


def _most(entry: Entry, ini: Ini, users: int) -> int:
    """Server connections of an entry with so many users."""
    pool = _number(entry.pairs.get("pool_size")) or _number(ini.setting("default_pool_size")) or DEFAULT_POOL
    reserve = _number(entry.pairs.get("reserve_pool") or entry.pairs.get("reserve_pool_size"))
    reserve = reserve if reserve is not None else _number(ini.setting("reserve_pool_size")) or 0
    most = users * (pool + reserve)
    limit = _number(entry.pairs.get("max_db_connections")) or _number(ini.setting("max_db_connections"))
    return min(most, limit) if limit else most


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
