"""Which servers and databases these are, and whether the target's server can reach the source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from novaops.db.connection import connect, identify
from novaops.errors import NovaopsError
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Scene

ORIGIN_SINCE = 16
"""`CREATE SUBSCRIPTION … WITH (origin = none)` (release notes of PostgreSQL 16)."""


@check(
    "same-database",
    "error",
    "source and target are two databases",
    "name another database with --to, or in [[replication]]",
)
def same_database(scene: Scene) -> Iterator[Problem]:
    if scene.pair.same_database:
        source, target = scene.replication.source, scene.replication.target
        yield Problem(
            f"{source} and {target} are one database, {scene.source.database}",
            "a database that subscribes to itself gets every row again, until a key is a duplicate",
        )


@check(
    "same-server",
    "note",
    "whether both databases are on one server is known",
    "nothing has to be done",
)
def same_server(scene: Scene) -> Iterator[Problem]:
    if scene.pair.same_server and not scene.pair.same_database and scene.subscription is None:
        yield Problem(
            "both databases are on one server: the slot is made before the subscription",
            "CREATE SUBSCRIPTION that makes its slot itself would wait for its own transaction for ever",
        )


@check("versions", "note", "both servers run the same major version", "upgrade the older one when you can")
def versions(scene: Scene) -> Iterator[Problem]:
    source, target = scene.source.major, scene.target.major
    if source != target:
        yield Problem(f"the source runs PostgreSQL {source}, the target {target}")


@check(
    "two-way-version",
    "error",
    "both servers can tell rows that were replicated from rows that were written",
    'upgrade to PostgreSQL 16 or later, or declare direction = "one-way"',
)
def two_way_version(scene: Scene) -> Iterator[Problem]:
    if scene.replication.direction != "both":
        return
    for facts in (scene.source, scene.target):
        if facts.major < ORIGIN_SINCE:
            yield Problem(
                f"{facts.side} runs PostgreSQL {facts.major}, which cannot replicate in two directions",
                "without origin = none, which 16 brought, an UPDATE goes back and forth for ever",
            )


@check(
    "server-reach",
    "error",
    "what the target's server is told leads to the source itself",
    "give host and port of the server itself in [[replication]] server",
)
def server_reach(scene: Scene) -> Iterator[Problem]:
    """The address in `server` may be good for that server only: what fails here is a note."""
    given = dict(scene.replication.server_conninfo)
    if not given.keys() & {"host", "hostaddr", "port", "service"}:
        return
    if not readable(given.get("passfile")):
        given.pop("passfile", None)
    asked = scene.replication.source.at(scene.source.database, given)
    if asked.parameters.get("user") == scene.replication.role:  # it may not exist yet
        asked = scene.replication.source.at(
            scene.source.database, {**given, "user": scene.source.side.identity.user}
        )
    try:
        with closing(connect(asked.conninfo())) as connection:
            found = identify(connection)
    except NovaopsError as error:
        if "pooler" in error.message:
            yield Problem(error.message, "replication does not pass through a pooler")
        else:
            yield Problem(
                f"whether the target's server reaches {asked} could not be tried from here",
                error.detail or error.message,
                "the set-up will show it",
                "note",
            )
        return
    if found.same_server(scene.source.side.identity) is False:
        yield Problem(f"{asked} is another server than {scene.source.side}")


def readable(passfile: str | None) -> bool:
    """Whether we may read it; the server's account has passfiles that others do not see."""
    if passfile is None:
        return True
    try:
        with Path(passfile).open():
            return True
    except OSError:
        return False


CHECKS = (same_database, same_server, versions, two_way_version, server_reach)
