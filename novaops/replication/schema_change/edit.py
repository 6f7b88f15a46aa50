"""A snapshot with some objects as they are in another one, and without some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.own_schema import OWN_SCHEMA

# What each database has of its own, even of a table that both have.
LEFT = frozenset(
    [
        "policy", "rule", "trigger", "publication", "publication relation", "publication namespace", "subscription",
    ]
)  # fmt: skip
# What goes with a column that it is about.
GOES_ALONG = frozenset(["table constraint", "index", "default value", "statistics object"])


@dataclass(slots=True)
class Edit:
    """Changes to `base`, which is left as it is; what is taken comes from `other`."""

    base: Snapshot
    other: Snapshot
    taken: dict[Address, Object] = field(default_factory=dict)
    """With what they depend on in `other`."""
    changed: dict[Address, Object] = field(default_factory=dict)
    """With what they depend on in `base`."""
    gone: set[Address] = field(default_factory=set)

    def __contains__(self, address: Address) -> bool:
        there = address in self.base or address in self.taken
        return there and address not in self.gone

    def __getitem__(self, address: Address) -> Object:
        return self.taken.get(address) or self.changed.get(address) or self.base[address]

    def take(self, address: Address) -> None:
        """The object as it is in `other`, with all that belongs to it, and that these need and `base` lacks."""
        todo = [address]
        while todo:
            each = todo.pop()
            known = each != address and each in self
            if known or each not in self.other or self._left(each):
                continue
            self.gone.discard(each)
            self.taken[each] = self._own(self.other[each])
            todo += [child.address for child in self.other.children.get(each, ())]
            todo += [edge.referenced for edge in self.other.dependencies.get(each, ())]

    def alter(self, address: Address, **attributes: object) -> None:
        """The object with other attributes."""
        obj = self[address]
        altered = replace(obj, attributes={**obj.attributes, **attributes})
        (self.taken if address in self.taken else self.changed)[address] = altered

    def remove(self, address: Address) -> None:
        """The object is not there, nor what it contains, nor what goes along with a column."""
        todo = [address]
        while todo:
            each = todo.pop()
            if each in self.gone:
                continue
            self.gone.add(each)
            self.taken.pop(each, None)
            todo += [child.address for child in self.base.children.get(each, ())]
            todo += [
                e.dependent for e in self.base.dependents.get(each, ()) if e.dependent.type in GOES_ALONG
            ]

    def snapshot(self) -> Snapshot:
        """What came of it."""
        kept = {a: o for a, o in {**self.base.objects, **self.changed}.items() if a not in self.gone}
        objects = {**kept, **self.taken}
        edges = [
            *(e for e in self.base.edges if e.dependent in kept and e.dependent not in self.taken),
            *(e for e in self.other.edges if e.dependent in self.taken),
        ]
        return replace(
            self.base,
            objects=objects,
            edges=tuple(e for e in edges if e.dependent in objects and e.referenced in objects),
        )

    def of_column(self, column: Address, kind: str) -> Iterator[Object]:
        """The constraints or unique indexes of `base` that a column has a part in."""
        for edge in self.base.dependents.get(column, ()):
            dependent = self.base[edge.dependent]
            if dependent.kind == kind and dependent.address not in self.gone:
                yield dependent

    def _left(self, address: Address) -> bool:
        return address.type in LEFT or self.other[address].schema == OWN_SCHEMA

    def _own(self, obj: Object) -> Object:
        """The object without what only the other database knows of: who owns it, and who may do what."""
        there = self.base.objects.get(obj.address)
        if there is None:
            container = self.base.objects.get(Address("table", obj.address.names[:2]))
            owner = container.owner if container else self.base.role
            return replace(obj, owner=owner and obj.owner and owner, privileges=obj.default_privileges)
        return replace(
            obj,
            owner=there.owner,
            privileges=there.privileges,
            default_privileges=there.default_privileges,
            comment=there.comment,
            labels=there.labels,
        )
