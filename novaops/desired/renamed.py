"""The declared state under the names that the live database has, and the statements that give it its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.diagnostics import Source
from novaops.kinds.kind import Step


@dataclass(frozen=True, slots=True)
class NewName:
    """An object that is renamed: as it is called now, and as it is declared.

    `part` are the names, now and then, of the label or attribute within it that is meant.
    """

    present: Object
    declared: Object
    part: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Renamed:
    """`snapshot` is what the files declare, under present names; `steps` end with the declared ones.

    Each step comes with the object that it is about.
    """

    snapshot: Snapshot
    steps: tuple[tuple[Object, Step], ...] = ()
    names: tuple[NewName, ...] = ()
    sources: Mapping[Address, Source] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


Renaming = Callable[[psycopg.Connection[Any], Snapshot, Mapping[Address, Source]], Renamed | None]
"""Asked with the shadow, what was read from it, and where each object was declared. None: all is done."""
