"""What a caller of the library chooses, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from novaops.desired.overlay import Overlay
from novaops.planning.outages import SAFE_BELOW
from novaops.planning.request import Watch


@dataclass(frozen=True, slots=True)
class Options:
    """What a plan manages and how; the words are those of the command line.

    `undeclared` says what is done about objects that novaops never applied and the files never declared:
    a drop asks ("ask"), they stay ("keep"), or they are dropped like others ("drop"). `shadow` is "server" (a database made and dropped on the target's server), "embedded", or the
    URL of an empty database. `ignore_file` is read when it exists, and so are the files of the
    folder `pre_migrations`. `journal`: whether what is applied is recorded in the schema `novaops` of
    the target. `safe_below` is the size in bytes of the rows below which a table may be locked, read or
    written anew unasked.
    """

    schemas: tuple[str, ...] = ()
    scope: str = "schemas"
    privileges: str = "auto"
    owners: str = "ignore"
    undeclared: str = "ask"
    missing_roles: str = "error"
    check_functions: str = "auto"
    shadow: str = "server"
    safe_below: int = SAFE_BELOW
    ignore_file: Path | None = Path(".pgschemaignore")
    pre_migrations: Path | None = None
    journal: bool = True
    renames: Path | None = None
    """What says how objects were called; by default `renames.json` beside the files, where there is one."""
    overlay: Overlay | None = None
    """What is declared of the database besides the files, as by `[[replication]]` in novaops.toml."""
    event_triggers: bool = True
    """Whether event triggers of the database fire for what an apply runs."""
    watch: Watch | None = None
    """Who tells of harm to others than the database, as to the other side of a replication."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did. `left` names differences that remain afterwards: none when it converged.

    `pre_migrations` are the files that ran, before the statements and after them.
    `compared` tells whether what there is was compared with the files afterwards: a saved plan has none.
    `history` is the number of the run in the journal, None when none was kept.
    """

    statements: int
    seconds: float
    left: tuple[str, ...] = ()
    rehearsal: Mapping[str, object] | None = None
    history: int | None = None
    pre_migrations: tuple[str, ...] = ()
    compared: bool = True
