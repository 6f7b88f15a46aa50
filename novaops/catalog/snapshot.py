"""A database as one value: objects by address, and the dependencies between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

from novaops.catalog.address import Address, Oid
from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege


@dataclass(frozen=True, slots=True)
class Edge:
    """`dependent` needs `referenced`; `types` holds the `pg_depend.deptype`s seen between them.

    A contained object depends on its parent with type "c", which pg_depend does not have.
    """

    dependent: Address
    referenced: Address
    types: frozenset[str]


@dataclass(frozen=True)
class Snapshot:
    """What one read of the catalogs returned.

    `unmodelled` are addresses that exist and that no kind claims. `default_acl` maps (role, schema
    or "", object type letter) to the privileges that `pg_default_acl` holds for new objects.
    """

    objects: Mapping[Address, Object]
    edges: tuple[Edge, ...] = ()
    unmodelled: tuple[Address, ...] = ()
    version: int = 0
    role: str = ""
    default_acl: Mapping[tuple[str, str, str], frozenset[Privilege]] = field(default_factory=dict)
    claims: Mapping[Oid, Address] = field(default_factory=dict, compare=False, repr=False)
    """The oids that the objects have in the database that was read."""

    def __contains__(self, address: Address) -> bool:
        return address in self.objects

    def __getitem__(self, address: Address) -> Object:
        return self.objects[address]

    def __iter__(self) -> Iterator[Object]:
        return iter(self.objects.values())

    @cached_property
    def dependencies(self) -> Mapping[Address, tuple[Edge, ...]]:
        """Edges by dependent."""
        return _group(self.edges, lambda e: e.dependent)

    @cached_property
    def dependents(self) -> Mapping[Address, tuple[Edge, ...]]:
        """Edges by referenced object."""
        return _group(self.edges, lambda e: e.referenced)

    @cached_property
    def attached(self) -> Mapping[Address, tuple[Edge, ...]]:
        """Edges by referenced object, from its parts: the indexes of partitions (`pg_depend.deptype` P)."""
        return _group((e for e in self.edges if "P" in e.types), lambda e: e.referenced)

    @cached_property
    def children(self) -> Mapping[Address, tuple[Object, ...]]:
        """Contained objects by parent, in the order they were read."""
        found: dict[Address, list[Object]] = {}
        for obj in self:
            if obj.parent is not None:
                found.setdefault(obj.parent, []).append(obj)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def namesakes(self) -> Mapping[tuple[str, str], frozenset[Address]]:
        """Addresses by their type and the last of their names."""
        found: dict[tuple[str, str], set[Address]] = {}
        for address in self.objects:
            found.setdefault((address.type, address.names[-1] if address.names else ""), set()).add(address)
        return {k: frozenset(v) for k, v in found.items()}

    @cached_property
    def overloads(self) -> Mapping[tuple[str, ...], frozenset[Address]]:
        """Addresses with arguments, and those that lack them, by the names they have in common."""
        found: dict[tuple[str, ...], set[Address]] = {}
        for address in self.objects:
            found.setdefault(address.names, set()).add(address)
        return {k: frozenset(v) for k, v in found.items() if len(v) > 1 or any(a.args for a in v)}

    def part(self, addresses: Set[Address]) -> Snapshot:
        """The snapshot of these objects alone, without the edges that leave them."""
        return replace(
            self,
            objects={a: o for a, o in self.objects.items() if a in addresses},
            edges=tuple(e for e in self.edges if e.dependent in addresses and e.referenced in addresses),
        )

    def ancestors(self, obj: Object) -> Iterator[Object]:
        """The object's containers, innermost first."""
        while obj.parent is not None and obj.parent in self.objects:
            obj = self.objects[obj.parent]
            yield obj


def _group(edges: Iterable[Edge], key: Callable[[Edge], Address]) -> Mapping[Address, tuple[Edge, ...]]:
    found: dict[Address, list[Edge]] = {}
    for edge in edges:
        found.setdefault(key(edge), []).append(edge)
    return {k: tuple(v) for k, v in found.items()}
