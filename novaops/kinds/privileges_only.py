"""Base of the kinds whose objects hold privileges and nothing else; not a kind itself."""

from __future__ import annotations

from typing import ClassVar

from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege
from novaops.kinds.kind import Kind

Privileges = frozenset[Privilege]


class PrivilegesOnly(Kind):
    """An object exists exactly where the privileges differ from those that apply without it (`initial`)."""

    future: ClassVar[bool] = False
    """Whether the privileges are those of objects that do not exist yet."""

    def held(self, obj: Object) -> Privileges:
        """Return the privileges that the object holds."""
        return obj.privileges or frozenset()

    def initial(self, obj: Object) -> Privileges:
        """Return the privileges that apply where the object does not exist."""
        return obj.default_privileges or frozenset()

    def holding(self, obj: Object, privileges: Privileges) -> Object:
        """Return the object with other privileges."""
        raise NotImplementedError
