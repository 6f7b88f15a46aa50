"""What the files and `renames.json` say about earlier names, for the plan of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.snapshot import Snapshot
from novaops.desired.annotations import directives
from novaops.desired.build import Desired
from novaops.desired.files import Script
from novaops.desired.renamed import Renamed, Renaming
from novaops.desired.renames import annotated
from novaops.desired.renames_file import RenamesFile, load_renames
from novaops.diagnostics import Source
from novaops.errors import UsageError
from novaops.planning.earlier_names import Excluded
from novaops.planning.rename import present_names

NAME = "renames.json"


def renames_file(files: Path, named: Path | None) -> RenamesFile:
    """The file that is `named`, or that lies beside the schema file or in its folder, if there is one."""
    path = named or (files if files.is_dir() else files.parent) / NAME
    if named is not None and not named.exists():
        raise UsageError(f"{named} does not exist", hint="name the file with --renames, or leave it out")
    return load_renames(path) if path.is_file() else RenamesFile(())


def renaming(script: Script, file: RenamesFile, live: Callable[[], Snapshot], excluded: Excluded) -> Renaming:
    """What `declare` asks; raises `DiagnosticsError` at once for a comment that cannot be one."""
    found = directives(script)

    def asked(
        connection: psycopg.Connection[Any], desired: Snapshot, sources: Mapping[Address, Source]
    ) -> Renamed | None:
        declared = [*annotated(found, desired, sources), *file.renames(desired)]
        if not declared:
            return None
        return present_names(connection, live(), desired, declared, sources, excluded)

    return asked


def consents(file: RenamesFile, live: Snapshot, desired: Desired) -> dict[str, str]:
    """What the file consents to, as `--allow` would have it, each with its reason."""
    now = {each.declared.address: each.present for each in (desired.renamed.names if desired.renamed else ())}
    found = {}
    for drop in file.drops(desired.snapshot):
        table = now.get(drop.table.address, drop.table)
        column = live.objects.get(
            Address(f"{table.address.type} column", (*table.address.names, drop.column))
        )
        if column is not None:
            found[f"data-loss:{column.identity}"] = drop.reason
    return found
