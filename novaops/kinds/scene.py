"""Both sides of a plan, as kinds see them; not a kind itself."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot


@dataclass(frozen=True)
class Scene:
    """Both sides of a plan, for kinds whose statements depend on more than their own object."""

    live: Snapshot
    desired: Snapshot
    version: int
    """`server_version_num` of the target."""
    replaced: Set[Address] = field(default_factory=frozenset)
    """Live objects that the plan drops, rebuilt or for good."""
    stubbed: frozenset[Address] = field(default_factory=frozenset)
    """Objects that exist as their `stub` when their `create` runs."""
    busy: frozenset[Address] = field(default_factory=frozenset)
    """Live tables with rows: what would keep others from them for long is done in other ways."""
    moved: frozenset[Address] = field(default_factory=frozenset)
    """Live tables that are made anew, and whose rows are copied (`Kind.fill`)."""
    at_once: frozenset[Address] = field(default_factory=frozenset)
    """Objects that are made in the transaction of a rebuild, which would be missing while they are prepared."""
    time_zone: str | None = None
    """TimeZone of the sessions that plan and apply; None where nothing is applied."""

    def online(self, obj: Object) -> bool:
        """Whether it is made while others read and write its table."""
        if not self.shared(obj) or obj.address in self.at_once:
            return False
        # What it needs now goes before it can be built ahead, and so does the old one.
        above = {obj.address, *(o.address for o in self.desired.ancestors(obj))}
        edges = self.live.dependencies.get(obj.address, ())
        return not any(self.drops(e.referenced) and e.referenced not in above for e in edges)

    def shared(self, obj: Object) -> bool:
        """Whether the object belongs to a table with rows that the plan does not create."""
        *_, root = obj, *self.desired.ancestors(obj)
        return root.address in self.busy and (root is obj or not self.creates(root.address))

    @cached_property
    def created(self) -> frozenset[Address]:
        """Addresses that do not exist, or no longer exist, when their creation runs."""
        return frozenset(a for a in self.desired.objects if a not in self.live.objects or a in self.replaced)

    def creates(self, address: Address) -> bool:
        """Whether the plan creates the object, for the first time or again."""
        return address in self.desired and (address not in self.live or address in self.replaced)

    def drops(self, address: Address) -> bool:
        """Whether the plan drops the object, for good or to create it again."""
        return address in self.live and (address not in self.desired or address in self.replaced)
