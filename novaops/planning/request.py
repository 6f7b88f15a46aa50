"""What a plan is made of: two states, and everything that decides what to do about the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from novaops.catalog.address import Address
from novaops.catalog.snapshot import Snapshot
from novaops.desired.renamed import Renamed
from novaops.diagnostics import Source
from novaops.planning.diff import Comparison
from novaops.planning.draft import Draft
from novaops.planning.origin import LastApplied
from novaops.planning.outages import SAFE_BELOW
from novaops.planning.plan import Hazard, Target
from novaops.planning.scope import Scope
from novaops.planning.undeclared import NONE_UNDECLARED, Undeclared


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a plan is made of."""

    live: Snapshot
    desired: Snapshot
    scope: Scope
    comparison: Comparison
    target: Target
    allowed: Mapping[str, str] = field(default_factory=dict)
    """What was consented to, as `hazard_codes.consent()` writes it, with the reasons."""
    missing_roles: tuple[str, ...] = ()
    """Roles that the files name, the server lacks and the plan is to create."""
    passing_roles: tuple[str, ...] = ()
    """Roles that only a statement of the files makes, which no plan runs (`Desired.passing_roles`)."""
    empty: bool = False
    """Whether the files hold no statement: an accident more often than a wish."""
    sources: Mapping[Address, Source] = field(default_factory=dict)
    files: str = ""
    written: frozenset[str] = frozenset()
    """Tables whose rows change before the plan is applied: those that pre-migrations write to."""
    safe_below: int = SAFE_BELOW
    """Bytes of rows below which nobody minds that a table is locked, read or written anew."""
    last: LastApplied | None = None
    """The database as the last apply left it, where that is known."""
    park: timedelta | None = None
    """How long dropped tables are kept aside; None drops them."""
    renamed: Renamed | None = None
    """What is desired under the names that the live database has, where these are others."""
    watch: Watch | None = None
    """Who tells of harm that the plan does beyond the database."""
    undeclared: Undeclared = NONE_UNDECLARED
    """Objects that nobody declared; a plan between two given states has none."""
    partial: bool = False
    """Whether `desired` is only a part of what the files declare: what needs no approval."""

    @property
    def goal(self) -> Snapshot:
        """Where the plan leads to until it renames anything."""
        return self.renamed.snapshot if self.renamed else self.desired

    @property
    def places(self) -> Mapping[Address, Source]:
        """Where each object of `goal` was declared."""
        return self.renamed.sources if self.renamed else self.sources


Watch = Callable[[Request, Draft], Iterable[tuple[Address, Hazard]]]
"""The hazards of a draft that concern others, by the objects that change."""
