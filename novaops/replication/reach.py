"""How the target's server reaches the source: as it is declared, and as the subscription has it (`subconninfo`).

A subscription that was made by hand may hold a password there, so nothing of what is read is ever shown but the names of
keywords; and only superusers may read it (documentation, "pg_subscription").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from novaops.replication.declaration import Replication

# Of the keywords with which novaops reaches the source, those that mean the same to the target's server; files are the
# server's own affair.
SHARED = ("host", "hostaddr", "port", "user", "service", "sslmode", "require_auth", "channel_binding")
PLACE = frozenset(["service", "host", "hostaddr", "port"])
"""Keywords that say where the server is: with one of them others of the same kind may have to go."""
SECRET = frozenset(["password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"])


@dataclass(frozen=True, slots=True)
class Connection:
    """What a subscription connects with."""

    keywords: Mapping[str, str] = field(repr=False)
    """Without the secrets."""
    holds_secret: bool

    def differing(self, replication: Replication) -> list[str]:
        """The keywords that `server` and `role` declare, and that it has otherwise; what is not declared may be anything."""
        return sorted(
            name for name, value in _declared(replication).items() if self.keywords.get(name) != value
        )

    def wanted(self, replication: Replication) -> str:
        """The connection string that is as declared; holds no password."""
        if PLACE.isdisjoint(self.differing(replication)):
            return make_conninfo(**{**self.keywords, **_declared(replication)})
        return connection_string(replication)

    @property
    def text(self) -> str:
        """The connection string as it is, without secrets."""
        return make_conninfo(**self.keywords)


def connection_string(replication: Replication) -> str:
    """How the target's server reaches the source; holds no password."""
    known = replication.source.parameters
    given: Mapping[str, str] = replication.server_conninfo
    ours = {} if "service" in given else {name: known[name] for name in SHARED if name in known}
    role = {"user": replication.role} if replication.role else {}
    return make_conninfo(**{**ours, **role, **given, "dbname": replication.source.database})


def connection(target: psycopg.Connection[Any], name: str) -> Connection | None:
    """What the subscription of that name connects with; None where there is none, or the role may not read it."""
    row = target.execute(
        "SELECT has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT')"
    ).fetchone()
    if row is None or not row[0]:
        return None
    row = target.execute(
        "SELECT s.subconninfo FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid"
        " WHERE d.datname = current_database() AND s.subname = %s",
        [name],
    ).fetchone()
    if row is None:
        return None
    try:
        known = {keyword: str(value) for keyword, value in conninfo_to_dict(row[0]).items()}
    except ProgrammingError:
        # libpq's message repeats the text, and a password in it. It may be of a newer server's libpq.
        return None
    kept = {keyword: value for keyword, value in known.items() if keyword not in SECRET}
    return Connection(kept, kept != known)


def _declared(replication: Replication) -> dict[str, str]:
    role = {"user": replication.role} if replication.role else {}
    return {**role, **replication.server_conninfo}
