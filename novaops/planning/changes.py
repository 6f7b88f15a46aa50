"""What can happen to an object: a closed union, handled with `match`."""

from __future__ import annotations

from dataclasses import dataclass

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import Privilege


@dataclass(frozen=True, slots=True)
class Create:
    """`new` does not exist yet."""

    new: Object

    @property
    def address(self) -> Address:
        return self.new.address


@dataclass(frozen=True, slots=True)
class Drop:
    """`old` is to go."""

    old: Object

    @property
    def address(self) -> Address:
        return self.old.address


@dataclass(frozen=True, slots=True)
class Alter:
    """`changed` are the attributes that differ, or that must be set again.

    `privileges` are those that the object is to have (None: they stay as they are); `comment`,
    `labels`, `extensions` and `owner` say whether these differ.
    """

    old: Object
    new: Object
    changed: frozenset[str] = frozenset()
    comment: bool = False
    labels: bool = False
    extensions: bool = False
    owner: bool = False
    privileges: frozenset[Privilege] | None = None

    @property
    def address(self) -> Address:
        return self.new.address


@dataclass(frozen=True, slots=True)
class Replace:
    """Dropped and created again, as what it depends on or what it is cannot be altered.

    `because` names the change that forces it, None when it is the object's own. `swap`: the new
    one is made while the old one still exists under another name.
    """

    old: Object
    new: Object
    because: Address | None = None
    swap: bool = False

    @property
    def address(self) -> Address:
        return self.new.address


Change = Create | Drop | Alter | Replace
