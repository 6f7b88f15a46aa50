"""From flags to `Aliases`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from novaops.cli.session import open_server

if TYPE_CHECKING:
    from novaops.config import Config
    from novaops.pgbouncer.aliases import Aliases


@contextmanager
def open_aliases(config: Config, quiet: bool) -> Iterator[Aliases]:
    """The aliases of novaops.toml in the working directory, with the server that the settings name."""
    from novaops.pgbouncer.aliases import Aliases

    with open_server(config, quiet) as server:
        yield Aliases(server.conninfo, reporter=server.reporter)


def declared(config: Config) -> Aliases:
    """The aliases of novaops.toml, for what asks no server."""
    from novaops.pgbouncer.aliases import Aliases

    return Aliases({name: setting.value for name, setting in config.connection.parameters.items()})
