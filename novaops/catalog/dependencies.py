"""Resolves `pg_depend` rows to the objects that the kinds claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from novaops.catalog.address import Address, Oid
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Edge

CONTAINED = "c"

# `pg_amop` and `pg_amproc`, whose rows have an owner of type "a" when they are loose: their operator
# class (`pg_opclass`) or family (`pg_opfamily`). The oids of catalogs are fixed (src/include/catalog).
MEMBERS_OF_OPERATOR_SETS = {2602, 2603}
OPERATOR_SETS = {2616, 2753}


class Dependencies:
    """`pg_depend`, with rows of no address of their own folded into what they belong to.

    An unclaimed row (a view's `_RETURN` rule, a key's index, a row type)
    belongs to the object that it depends on internally (deptype "i"; section 53.18 of the
    documentation), a member of an extension to the extension (deptype "e"), and a column nobody
    claims to its relation.
    """

    def __init__(self, claims: Mapping[Oid, Address], rows: Iterable[tuple[Oid, Oid, str]]) -> None:
        self._claims = claims
        self._rows = [(a, b, _deptype(a, b, deptype)) for a, b, deptype in rows]
        self._owners: dict[Oid, Oid] = {}
        self._resolved: dict[Oid, Address | None] = {}
        self._belongs: dict[Oid, list[Oid]] = {}
        for dependent, referenced, deptype in self._rows:
            if deptype in "ie" and dependent not in self._owners:
                self._owners[dependent] = referenced
            if deptype in "iaPS":
                whole = Oid(dependent.classid, dependent.objid)
                self._belongs.setdefault(whole, []).append(Oid(referenced.classid, referenced.objid))

    def resolve(self, oid: Oid) -> Address | None:
        """Address of the claimed object that `oid` is, or belongs to."""
        if oid not in self._resolved:
            self._resolved[oid] = self._claim(oid)
        return self._resolved[oid]

    def _claim(self, oid: Oid) -> Address | None:
        seen: set[Oid] = set()
        at: Oid | None = oid
        while at is not None and at not in seen:
            seen.add(at)
            if (found := self._claims.get(at)) is not None:
                return found
            whole = Oid(at.classid, at.objid)
            at = whole if at.objsubid and whole not in self._owners else self._owners.get(whole)
        return None

    def within(self, oid: Oid, members: Mapping[Oid, str]) -> bool:
        """Whether the row belongs, by internal or automatic dependency, to an extension's member."""
        seen: set[Oid] = set()
        todo = [oid]
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            if at in members:
                return True
            todo += self._belongs.get(at, ())
        return False

    def edges(self, objects: Mapping[Address, Object]) -> tuple[Edge, ...]:
        """All edges between different objects, contained objects depending on their parents."""
        found: dict[tuple[Address, Address], set[str]] = {}
        for dependent, referenced, deptype in self._rows:
            a, b = self.resolve(dependent), self.resolve(referenced)
            if a is not None and b is not None and a != b:
                found.setdefault((a, b), set()).add(deptype)
        for obj in objects.values():
            if obj.parent is not None:
                found.setdefault((obj.address, obj.parent), set()).add(CONTAINED)
        return tuple(Edge(a, b, frozenset(types)) for (a, b), types in found.items())

    def extensions(self) -> Mapping[Address, frozenset[str]]:
        """The extensions that objects were made to depend on, by their names."""
        found: dict[Address, set[str]] = {}
        for dependent, referenced, deptype in self._rows:
            a, b = self.resolve(dependent), self.resolve(referenced)
            if deptype == "x" and a is not None and b is not None:
                found.setdefault(a, set()).add(b.names[-1])
        return {address: frozenset(names) for address, names in found.items()}


def _deptype(dependent: Oid, referenced: Oid, deptype: str) -> str:
    """A loose member is part of its family; the family itself does not go when the operator goes."""
    if deptype == "a" and dependent.classid in MEMBERS_OF_OPERATOR_SETS:
        return "i" if referenced.classid in OPERATOR_SETS else "n"
    return deptype
