"""Everything that is known of one alias, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from novaops.invocation import command_line
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.inventory import Alias
from novaops.pgbouncer.pooler import Pooler, client_host, client_port
from novaops.pgbouncer.scram import masked

POOL_MODES = {
    "session": "a server connection belongs to a client from login to logout: LISTEN, SET, temporary tables and "
    "advisory locks work as on the server itself",
    "transaction": "a server connection belongs to a client for one transaction: LISTEN hears nothing, SET and "
    "temporary tables leak to others, session advisory locks do not exclude",
    "statement": "a server connection belongs to a client for one statement: no transactions of several statements, "
    "no LISTEN, no session state",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """`facts` are (label, text) pairs in the order to be read in."""

    alias: Alias
    facts: tuple[tuple[str, str], ...]


def explain(alias: Alias, installation: Installation) -> Explanation:
    """Ask the files and the pooler; no server is asked."""
    ini = installation.ini
    entry = ini.databases().get(alias.name)
    host, port = client_host(installation.settings, ini), client_port(installation.settings, ini)
    users = {u.name: u for u in installation.userlist.users}
    facts = [
        ("why", alias.rationale or "no rationale is declared"),
        ("who", f"the role {alias.user}"),
        ("how", f"psql -h {host} -p {port} -d {alias.name} -U {alias.user}"),
        ("where", f"{alias.target}; current_database() says {alias.target.database}"),
        ("pooling", f"{alias.pool_mode}: {POOL_MODES[alias.pool_mode]}"),
        ("pool", f"at most {alias.pool_size} server connections for each user"),
        (
            "in file",
            str(entry.source)
            if entry
            else f"not in {installation.settings.ini}: {command_line('alias apply')}",
        ),
    ]
    if installation.settings.auth == "auth_query":
        facts.append(("secret", f"asked from the server as {installation.settings.auth_user} (auth_query)"))
    elif alias.user in users:
        facts.append(("secret", f"{masked(users[alias.user].secret)} in {users[alias.user].source}"))
    else:
        facts.append(("secret", f"none in {installation.auth_file}: {command_line('alias apply')}"))
    facts.append(("served", _served(alias, installation)))
    return Explanation(alias, tuple(facts))


def _served(alias: Alias, installation: Installation) -> str:
    pooler = Pooler(installation.settings, installation.ini)
    try:
        if not pooler.running:
            return "pgbouncer does not run"
        if pooler.console is None:
            return f"could not be asked: {pooler.why_no_console}"
        row = pooler.served().databases.get(alias.name)
        if row is None:
            return f"no: pgbouncer does not know it; {command_line('alias apply')}"
        clients = pooler.clients(alias.name)
        now = "nobody is connected" if not clients else f"{len(clients)} connected now"
        return f"yes; connections to the server: {row['current_connections']}; {now}"
    finally:
        pooler.close()
