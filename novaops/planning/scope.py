"""Which objects a plan may touch, and which it may drop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novaops.ignore import Ignore

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.desired.renamed import Renamed

OWN_SCHEMAS = frozenset({"novaops", "novaops_parked"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The managed part of a database (the contract's --schema, --scope and `.pgschemaignore`).

    `schemas` are the managed ones; `whole` manages the database with everything outside schemas.
    """

    schemas: frozenset[str]
    whole: bool = False
    ignore: Ignore | None = None
    kept: frozenset[Address] = frozenset()
    """Objects that are not dropped although the files do not declare them."""

    def excluded(self, obj: Object, snapshot: Snapshot) -> bool:
        """Whether the object is out of reach: novaops' own, or matched by `.pgschemaignore`."""
        for each in (obj, *snapshot.ancestors(obj)):
            if each.schema in OWN_SCHEMAS or (self.ignore is not None and self.ignore.matches(each)):
                return True
        # What stands on novaops' own is its own: the guard of a read-only replica.
        needed = (snapshot.objects.get(e.referenced) for e in snapshot.dependencies.get(obj.address, ()))
        return any(each is not None and each.schema in OWN_SCHEMAS for each in needed)

    def own(self, obj: Object) -> bool:
        """Whether the object is novaops' own."""
        return obj.schema in OWN_SCHEMAS or (self.ignore is not None and self.ignore.is_own(obj))

    def manages(self, obj: Object) -> bool:
        """Whether the object is dropped when the files do not declare it."""
        if obj.address in self.kept:
            return False
        if self.whole:
            return True
        if obj.address.type == "schema" or obj.schema is None:
            return False
        return obj.schema in self.schemas

    def with_earlier(self, renamed: Renamed | None) -> Scope:
        """The scope with managed schemas under the names that they still have, too."""
        names = renamed.names if renamed else ()
        earlier = {
            n.present.name
            for n in names
            if n.declared.address.type == "schema" and n.declared.name in self.schemas
        }
        return replace(self, schemas=self.schemas | earlier)

    @staticmethod
    def of(schemas: frozenset[str], whole: bool, ignore: Ignore | None, desired: Snapshot) -> Scope:
        """Scope for `--schema` or, without it, public and every schema the files create."""
        created = {o.name for o in desired if o.address.type == "schema"}
        return Scope(schemas or frozenset(created | {"public"}), whole, ignore)


EVERYTHING = Scope(frozenset(), whole=True)
