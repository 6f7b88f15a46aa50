"""Whether novaops.toml, the files, the running pooler and the servers say the same.

What could not be looked at is a finding of its own: silence never means that all is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from novaops.db.identifiers import quote_ident
from novaops.invocation import command_line
from novaops.pgbouncer import files
from novaops.pgbouncer.budget import budget_of
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.inventory import Alias, Inventory
from novaops.pgbouncer.names import EVERYTHING
from novaops.pgbouncer.pooler import Pooler, remembered
from novaops.pgbouncer.render import AUTH_QUERY, own_entries, pairs_of
from novaops.pgbouncer.scram import kind_of, matches
from novaops.pgbouncer.server import Role, Server


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as declared, or not as it should be."""

    code: str
    subject: str
    message: str
    hint: str
    severity: str = "error"
    """`error` makes the check fail, `warning` does not unless it is strict."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check has found, and what it looked at."""

    findings: tuple[Finding, ...]
    looked_at: tuple[str, ...]
    left_out: tuple[str, ...]
    """What the caller did not want to be looked at."""

    def failed(self, strict: bool = False) -> bool:
        return any(strict or f.severity == "error" for f in self.findings)


def file_findings(inventory: Inventory, installation: Installation) -> Iterator[Finding]:
    """novaops.toml against pgbouncer.ini and userlist.txt, and what misleads in these."""
    if installation.ini_text is None:
        yield Finding(
            "file-missing",
            str(installation.settings.ini),
            "there is no such file",
            f"{command_line('alias apply')} writes it",
        )
        return
    if files.pending_mark(installation.ini_file).exists():
        yield Finding(
            "cut-off",
            str(installation.settings.ini),
            "a change was cut off before the pooler was told",
            command_line("alias apply"),
        )
    ini = installation.ini
    for problem in ini.problems:
        yield Finding(
            problem.code or "syntax",
            str(problem.source),
            problem.message,
            "correct the line",
            problem.severity,
        )
    yield from _entry_findings(inventory, installation)
    for entry, last in ini.duplicates():
        yield Finding(
            "duplicate-entry", entry.key, f"{entry.source} and {last.source} are one name; pgbouncer takes the last",
            "remove one of them",
        )  # fmt: skip
    for name, entry in ini.databases().items():
        if name == EVERYTHING:
            yield Finding(
                "everything", str(entry.source), "* lets everybody try every database, and hides misspelled names",
                "remove it, and add an alias for each agent", "warning",
            )  # fmt: skip
        if "user" in entry.pairs:
            yield Finding(
                "forced-user", f"{name} ({entry.source})",
                f"whoever connects is {entry.pairs['user']} to the server: session_user tells agents apart no more",
                "remove user=, and restart pgbouncer, which keeps it until then", "warning",
            )  # fmt: skip
    for alias in inventory.aliases:
        if alias.pool_mode != "session":
            yield Finding(
                "pool-mode", alias.name,
                f"{alias.pool_mode} pooling: LISTEN hears nothing, SET and temporary tables leak to others, advisory "
                "locks do not exclude",
                command_line("alias add", "--pool-mode", "session", arguments=[alias.user]), "warning",
            )  # fmt: skip
    yield from _auth_findings(inventory, installation)


def _entry_findings(inventory: Inventory, installation: Installation) -> Iterator[Finding]:
    wanted = installation.wanted(inventory, inventory.aliases, {})
    text = installation.ini_text or ""
    own = own_entries(text, installation.settings.ini, installation.version)
    effective = installation.ini.databases()
    declared = {a.name for a in inventory.aliases}
    for alias in inventory.aliases:
        pairs = pairs_of(alias, wanted)
        if alias.name not in own:
            there = effective.get(alias.name)
            where = f"; {there.source} has one written by hand" if there else ""
            yield Finding(
                "not-in-file", alias.name, f"is declared, and not in {installation.settings.ini}{where}",
                command_line("alias add", "--alias", alias.name, "--take-over", arguments=[alias.user]) if there else command_line("alias apply"),
            )  # fmt: skip
        elif own[alias.name].pairs != pairs:
            yield Finding(
                "file-differs",
                alias.name,
                f"{own[alias.name].value} in the file, {_shown(pairs)} declared",
                command_line("alias apply"),
            )
    for name in own:
        if name not in declared:
            yield Finding(
                "not-declared",
                name,
                "is in novaops' part of the file, and not declared, as after an interrupted rename or removal",
                command_line("alias apply"),
            )


def _auth_findings(inventory: Inventory, installation: Installation) -> Iterator[Finding]:
    userlist = installation.userlist
    if installation.auth_type in ("any", "trust"):
        yield Finding(
            "no-authentication", f"auth_type = {installation.auth_type}", "anybody can be anyone",
            "auth_type = scram-sha-256 in [pgbouncer]",
        )  # fmt: skip
    for problem in userlist.problems:
        yield Finding(
            "userlist-syntax", str(problem.source), problem.message, problem.hint or "correct the line"
        )
    for user, last in userlist.duplicates():
        yield Finding(
            "duplicate-user", user.name, f"{user.source} and {last.source} are one user; pgbouncer takes the last",
            "remove one of them", "warning",
        )  # fmt: skip
    for name, secret in userlist.secrets().items():
        if not secret:
            yield Finding(
                "empty-password", name, f"has an empty password in {userlist.path}: that never lets anybody in",
                f"remove the line; {command_line('alias add', arguments=[name])} reads the verifier from the server",
            )  # fmt: skip
    for path in (installation.ini_file, installation.auth_file):
        if path.exists() and path.stat().st_mode & 0o007:
            yield Finding("world-readable", str(path), "everybody may read it", f"chmod 0640 {path}")
    if inventory.settings.auth == "auth_query":
        if installation.ini.setting("auth_query") != AUTH_QUERY:
            yield Finding(
                "auth-query", "auth_query", "is not the one of novaops", command_line("alias apply")
            )
        return
    needed = set(inventory.users())
    for missing in sorted(needed - set(userlist.secrets())):
        yield Finding("user-missing", missing, f"has no line in {userlist.path}", command_line("alias apply"))
    for name in installation.own_users():
        if name not in needed:
            what = f"is in novaops' part of {userlist.path}, and no alias needs it"
            yield Finding("user-not-declared", name, what, command_line("alias apply"))


def pooler_findings(inventory: Inventory, installation: Installation, pooler: Pooler) -> Iterator[Finding]:
    """The files against what the running pooler serves."""
    if not pooler.running:
        yield Finding(
            "not-running", str(pooler.ini.path), f"pgbouncer does not run ({pooler.why_no_console})",
            f"start it; {command_line('alias check', '--no-pooler')} looks at the files alone",
        )  # fmt: skip
        return
    if pooler.console is None:
        yield Finding(
            "no-console", str(pooler.ini.path), f"what pgbouncer serves cannot be asked: {pooler.why_no_console}",
            "run as root or as the account of pgbouncer, or set console_user in [pgbouncer] of novaops.toml",
        )  # fmt: skip
        return
    names = [a.name for a in inventory.aliases]
    served = pooler.served()
    for name in installation.own_names():
        if name not in names and served.databases.get(name, {}).get("disabled") == "1":
            yield Finding(
                "disabled", name, "takes no clients: its removal was interrupted",
                f"{command_line('alias apply')} removes it; declare it in novaops.toml first to keep it",
            )  # fmt: skip
    for user in remembered(inventory, served, installation.userlist):
        yield Finding(
            "remembered-user", user,
            "cannot log in: pgbouncer remembers the user without a secret, and does not run auth_query",
            f"restart pgbouncer when its clients allow it: systemctl restart {inventory.settings.service}",
        )  # fmt: skip
    users = [] if inventory.settings.auth == "auth_query" else inventory.users()
    for found in pooler.mismatches(names, users):
        hint = (
            "restart pgbouncer when its clients allow it"
            if found.restart
            else f"{command_line('alias apply')}, or reload"
        )
        yield Finding(
            "needs-restart" if found.restart else "served-differs", found.name, found.message, hint,
            "warning" if found.restart else "error",
        )  # fmt: skip


def server_findings(
    inventory: Inventory,
    installation: Installation,
    servers: Mapping[tuple[str, int, str], Server],
    failed: Mapping[tuple[str, int, str], str],
) -> Iterator[Finding]:
    """Roles, verifiers, databases, replicas and limits of the servers that aliases lead to."""
    for (host, port, database), why in failed.items():
        yield Finding(
            "server-unknown", f"{database} on {host}:{port}", f"cannot be looked at: {why}",
            f"{command_line('alias check', '--no-server')} leaves the servers out",
        )  # fmt: skip
    budgets = set()
    for alias in inventory.aliases:
        target = alias.target
        server = servers.get((target.host, target.port, target.database))
        if server is None:
            continue
        yield from _shadow_findings(alias, server)
        yield from _role_findings(alias, server, inventory, installation)
        if (target.host, target.port) not in budgets:
            budgets.add((target.host, target.port))
            found = budget_of(inventory, installation, server, target.host, target.port)
            if found.exceeded:
                yield Finding(
                    "connections", found.server,
                    f"pools may open {found.worst} connections, and {found.available} of {found.maximum} are for everybody",
                    "lower pool_size, or raise max_connections",
                )  # fmt: skip
    if inventory.settings.auth == "auth_query":
        auth_user = inventory.settings.auth_user
        for (host, port, database), server in servers.items():
            role = (server.roles([auth_user]) or {}).get(auth_user)
            if role is not None:
                yield from _verifier_findings(role, installation)
            if missing := server.auth_function_state(inventory.settings.auth_user):
                yield Finding(
                    "auth-function", f"{database} on {host}:{port}", missing, command_line("alias apply")
                )


def _shadow_findings(alias: Alias, server: Server) -> Iterator[Finding]:
    if alias.name == alias.target.database or alias.name not in server.databases():
        return
    if subscriptions := server.subscribers().get(alias.name):
        yield Finding(
            "hides-replica", alias.name,
            f"is a database of the server, which subscribes by {', '.join(subscriptions)}; the alias leads to "
            f"{alias.target.database} instead, so that its users write to the source",
            f"{command_line('alias rename', arguments=[alias.name, 'NEW'])}, or remove it",
        )  # fmt: skip
        return
    yield Finding(
        "hides-database", alias.name,
        f"is a database of the server; by the pooler's port it is {alias.target.database}",
        command_line("alias rename", arguments=[alias.name, "NEW"]),
    )  # fmt: skip


def _role_findings(
    alias: Alias, server: Server, inventory: Inventory, installation: Installation
) -> Iterator[Finding]:
    roles = server.roles([alias.user])
    if roles is None:
        yield Finding(
            "verifier-unknown", alias.user, f"{server.identity.user} may not read verifiers, so none was compared",
            "connect as a superuser, or leave the servers out by --no-server", "warning",
        )  # fmt: skip
        return
    role = roles.get(alias.user)
    if role is None:
        yield Finding(
            "role-missing",
            alias.user,
            "the server has no such role",
            command_line("alias remove", arguments=[alias.name]),
        )
        return
    if not role.can_log_in:
        yield Finding(
            "role-nologin",
            alias.user,
            "may not log in (NOLOGIN)",
            f"ALTER ROLE {quote_ident(alias.user)} LOGIN",
        )
    if role.expired:
        yield Finding(
            "role-expired",
            alias.user,
            "VALID UNTIL has passed",
            f"ALTER ROLE {quote_ident(alias.user)} VALID UNTIL …",
        )
    if role.superuser:
        yield Finding(
            "role-superuser", alias.user, "is a superuser", "give the agent a role of its own", "warning"
        )
    if inventory.settings.auth == "userlist":
        yield from _verifier_findings(role, installation)


def _verifier_findings(role: Role, installation: Installation) -> Iterator[Finding]:
    secret = installation.secrets.get(role.name)
    if not role.verifier:
        yield Finding(
            "role-no-password",
            role.name,
            "has no password on the server",
            command_line("alias rotate", arguments=[role.name]),
        )
    elif (
        secret
        and secret != role.verifier
        and not (kind_of(secret) == "plain" and matches(secret, role.verifier, role.name))
    ):
        yield Finding(
            "verifier-differs", role.name,
            "the server has another verifier than userlist.txt: new connections to the server fail",
            f"{command_line('alias apply')} reads it again",
        )  # fmt: skip


def _shown(pairs: Mapping[str, str]) -> str:
    return " ".join(f"{k}={v}" for k, v in pairs.items())
