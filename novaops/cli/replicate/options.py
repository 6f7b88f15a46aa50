"""The options that the commands of `novaops replicate` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from novaops.cli.options import Option

REPLICATIONS: Sequence[Option[Any]] = (
    click.option(
        "--to", metavar="DATABASE", help="Database that gets the rows. Default: all that are declared."
    ),
    click.option(
        "--from",
        "source",
        metavar="DATABASE",
        help="Database that has the rows. Default: as declared, or the configured one.",
    ),
    click.option(
        "--table",
        "tables",
        metavar="TABLE",
        multiple=True,
        help="Replicate this table; repeatable. Needs no declaration.",
    ),
    click.option(
        "--server",
        metavar="CONNINFO",
        help="How the target's server reaches the source, where that differs from how novaops does: "
        "'host=db1 passfile=/var/lib/postgresql/.pgpass'. Never a password.",
    ),
)
