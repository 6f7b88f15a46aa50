"""Makes the alias of an agent from what is given, what is declared already, and the defaults."""

from __future__ import annotations

from novaops.errors import UsageError
from novaops.invocation import command_line
from novaops.pgbouncer.inventory import Alias, Inventory, Target, alias_name, no_target


def new_alias(
    inventory: Inventory,
    agent: str,
    *,
    name: str | None = None,
    role: str | None = None,
    target: str | None = None,
    target_host: str | None = None,
    target_port: int | None = None,
    pool_mode: str | None = None,
    pool_size: int | None = None,
    rationale: str = "",
) -> Alias:
    """The alias of an agent; what is not given is as it is declared already, or the default."""
    if not agent:
        raise UsageError(
            "the name of the agent is empty", hint=command_line("alias add", arguments=["AGENT"])
        )
    name = name or alias_name(agent, inventory.settings)
    before = next((a for a in inventory.aliases if a.name == name), None)
    default = before.target if before else inventory.default
    if default is None and (target is None or target_host is None):
        raise no_target()
    return Alias(
        name=name,
        user=role or (before.user if before else agent),
        target=Target(
            target or (default.database if default else ""),
            target_host or (default.host if default else ""),
            target_port or (default.port if default else 5432),
        ),
        pool_mode=pool_mode or (before.pool_mode if before else inventory.settings.pool_mode),
        pool_size=pool_size or (before.pool_size if before else inventory.settings.pool_size),
        rationale=rationale or (before.rationale if before else ""),
        password_command=before.password_command if before else None,
    )
