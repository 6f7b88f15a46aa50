"""From flags to an open project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novaops.errors import UsageError
from novaops.invocation import command_line

if TYPE_CHECKING:
    from novaops.config import Config
    from novaops.progress import Reporter
    from novaops.project import Options, Project


def settings(flags: Mapping[str, Any]) -> Config:
    """All settings of this call; flags that were not given leave them to their other places."""
    from novaops.config import load

    port = flags.get("port")
    return load({**flags, "port": str(port) if port else None})


def standing_consents(config: Config) -> Mapping[str, str]:
    """What `[[allow]]` in novaops.toml consents to, with the reasons."""
    from datetime import date

    from novaops.planning.consents import standing

    return standing(config.sections.get("allow", []), date.today())


@dataclass(frozen=True, slots=True)
class Server:
    """Where to work, how, and who is told about it."""

    conninfo: Mapping[str, str]
    options: Options
    reporter: Reporter


@contextmanager
def open_server(config: Config, quiet: bool) -> Iterator[Server]:
    """The server that the settings name, started if it is the embedded one."""
    from novaops.output.progress import Progress
    from novaops.project import Options

    schema, connection = config.schema, config.connection
    folder = Path(schema.pre_migrations.value)
    if schema.pre_migrations.origin == "--pre-migrations" and not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="name the folder of *.sql files")
    options = Options(
        schemas=schema.schemas.value,
        scope=schema.scope.value,
        privileges=schema.privileges.value,
        owners=schema.owners.value,
        undeclared=schema.undeclared.value,
        missing_roles=schema.missing_roles.value,
        check_functions=schema.check_functions.value,
        shadow=schema.shadow.value,
        pre_migrations=folder,
        safe_below=schema.safe_below.value,
        journal=schema.journal.value,
        ignore_file=Path(schema.ignore_file.value) if schema.ignore_file.value else None,
        renames=Path(schema.renames.value) if schema.renames.value else None,
        **_replicated(config),
    )
    with Progress(quiet) as reporter:
        if not connection.embedded.value:
            yield Server(connection.conninfo(), options, reporter)
            return
        from novaops.db.connection import ensure_database
        from novaops.db.embedded import EmbeddedServer, default_directory

        with EmbeddedServer(default_directory()).running() as embedded:
            reached = ensure_database(embedded.complete_parameters(), connection["dbname"] or "postgres")
            yield Server(reached, options, reporter)


def _replicated(config: Config) -> dict[str, Any]:
    """What `[[replication]]` in novaops.toml says of the database that this call is about."""
    if "replication" not in config.sections:
        return {}
    from novaops.replication.declaration import Endpoint
    from novaops.replication.declared import declared
    from novaops.replication.overlay import overlay
    from novaops.replication.schema_change.watch import watch

    database = Endpoint.configured(config.connection)
    found = declared(Path("novaops.toml"), database)
    return {"overlay": overlay(found, database), "watch": watch(found, database)}


@contextmanager
def naming_next(project: Project, *options: str, arguments: Sequence[str] = ()) -> Iterator[None]:
    """Add to an exception inside the command that restores what is missing since.

    `--safe-only` is not in it: what is dropped already comes back whatever it takes.
    """
    try:
        yield
    except BaseException as error:
        if project.missing:
            line = command_line("apply", *options, arguments=arguments, without=["--safe-only"])
            error.add_note(f"restore  {line}")
        raise


@contextmanager
def open_project(config: Config, quiet: bool) -> Iterator[Project]:
    """The project that the settings describe; it says on stderr what it does."""
    from novaops.project import Project

    with open_server(config, quiet) as server:
        file = config.schema.file.value
        with Project(server.conninfo, file, server.options, server.reporter) as project:
            yield project
