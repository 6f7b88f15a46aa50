"""From flags to the replications that they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novaops.cli.session import settings
from novaops.errors import UsageError

if TYPE_CHECKING:
    from novaops.config import Config
    from novaops.progress import Reporter
    from novaops.replication.declaration import Endpoint, Replication
    from novaops.replication.schema_change.change import SchemaChange


@contextmanager
def replications(flags: Mapping[str, Any], quiet: bool) -> Iterator[tuple[tuple[Replication, ...], Reporter]]:
    """The replications that `--to`, `--from`, `--table` and novaops.toml mean, and who is told of progress."""
    from novaops.output.progress import Progress
    from novaops.replication.declared import chosen, declared, reached_by

    config = settings(
        {name: flags.get(name) for name in flags if name not in ("to", "source", "tables", "server")}
    )
    with Progress(quiet) as reporter, _configured(config) as base:
        found = chosen(
            declared(Path("novaops.toml"), base), base, flags["to"], flags["source"], flags["tables"]
        )
        yield tuple(reached_by(each, flags["server"]) for each in found), reporter


@contextmanager
def _configured(config: Config) -> Iterator[Endpoint]:
    """The configured database; the embedded server is started if it is that one's."""
    from novaops.replication.declaration import Endpoint

    if not config.connection.embedded.value:
        yield Endpoint.configured(config.connection)
        return
    from novaops.db.embedded import EmbeddedServer, default_directory

    with EmbeddedServer(default_directory()).running() as server:
        known = {**server.complete_parameters(), "dbname": config.connection["dbname"] or "postgres"}
        yield Endpoint.of(known)


@contextmanager
def schema_change(flags: Mapping[str, Any], quiet: bool) -> Iterator[SchemaChange]:
    """The files, the database that they are of, and those that have tables of it."""
    from novaops.cli.session import open_project
    from novaops.replication.declaration import Endpoint
    from novaops.replication.declared import chosen, declared
    from novaops.replication.schema_change.change import open_change

    config = settings({name: flags.get(name) for name in flags if name not in ("to", "source")})
    with open_project(config, quiet) as files:
        assert not isinstance(files.conninfo, str)  # noqa: S101
        base = Endpoint.of(files.conninfo)
        known = declared(Path("novaops.toml"), base)
        with open_change(files, chosen(known, base, flags["to"], flags["source"]), known) as change:
            yield change


def one(found: tuple[Replication, ...]) -> Replication:
    """The one that a command works on; raises `UsageError` where the flags mean more."""
    if len(found) > 1:
        names = ", ".join(f"{each.name} to {each.target.database}" for each in found)
        raise UsageError(
            f"this is about one replication, and there are {len(found)}",
            detail=names,
            hint="choose with --to, --from and --table",
        )
    return found[0]
