"""From flags to an open project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from novaops.config import Config
    from novaops.project import Project


def settings(flags: Mapping[str, Any]) -> Config:
    """All settings of this call; flags that were not given leave them to their other places."""
    from novaops.config import load

    port = flags.get("port")
    return load({**flags, "port": str(port) if port else None})


@contextmanager
def open_project(config: Config, quiet: bool) -> Iterator[Project]:
    """The project that the settings describe; it says on stderr what it does."""
    from novaops.output.progress import Progress
    from novaops.project import Options, Project

    schema, connection = config.schema, config.connection
    options = Options(
        schemas=schema.schemas.value,
        scope=schema.scope.value,
        privileges=schema.privileges.value,
        owners=schema.owners.value,
        missing_roles=schema.missing_roles.value,
        shadow=schema.shadow.value,
    )
    with ExitStack() as stack:
        reporter = stack.enter_context(Progress(quiet))
        if connection.embedded.value:
            from novaops.db.embedded import EmbeddedServer, default_directory

            server = stack.enter_context(EmbeddedServer(default_directory()).running())
            conninfo = {**server.connection_parameters(), "dbname": connection["dbname"] or "postgres"}
        else:
            conninfo = connection.conninfo()
        yield stack.enter_context(Project(conninfo, schema.file.value, options, reporter))

