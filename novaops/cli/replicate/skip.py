"""`novaops replicate skip`."""

from __future__ import annotations

from typing import Any

import click

from novaops.cli.command import Command
from novaops.cli.options import CONNECTION, QUIET, TEXT_OR_JSON, YES, options
from novaops.cli.replicate.options import REPLICATIONS
from novaops.cli.replicate.session import one, replications
from novaops.cli.verdict import FAILED

EPILOG = """\b
Which transaction it is, and why the target does not take it, is shown before the question. Its rows are missing
afterwards; novaops replicate compare --repair brings them, once what was in their way is gone.
"""


@click.command("skip", cls=Command, short_help="Leave out the transaction that fails.", epilog=EPILOG)
@options(REPLICATIONS, CONNECTION, YES, TEXT_OR_JSON, QUIET)
def command(yes: bool, output_format: str, quiet: bool, **given: Any) -> int:
    """Leave out the one transaction at which the subscription has stopped, and let it go on."""
    from novaops.cli.questions import confirmed
    from novaops.output.replication_repairs import write_failed, write_skipped
    from novaops.replication.pair import open_pair
    from novaops.replication.proof.state import as_found
    from novaops.replication.repairs.failed import failed
    from novaops.replication.repairs.skip import skip

    with replications(given, quiet) as (found, _), open_pair(one(found)) as pair:
        replication = as_found(pair, one(found))
        stopped = failed(pair, replication)
        if stopped is not None and stopped.reason is not None:
            write_failed(stopped)
            if not (yes or confirmed("Leave it out?", "replicate skip")):
                return FAILED
        skipped = skip(pair, replication, stopped.lsn if stopped else None)
    write_skipped(replication, skipped, output_format)
    return 0
