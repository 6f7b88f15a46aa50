"""An object of a database as the catalogs describe it, without its oid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.privileges import Privilege


@dataclass(frozen=True, slots=True)
class Object:
    """One object; two are the same when everything but `facts` and `identity` is equal.

    `attributes` come from the columns of the kind's .sql and are compared; `facts` are those whose
    column name begins with an underscore (without it): they help to write statements and texts and
    are never compared. `identity` is `pg_identify_object().identity`, quoted by PostgreSQL.
    `schema` is the schema that the object, or the object that contains it, lives in. `parent` is
    the object that contains it (the table of a column, the column of a default).
    """

    address: Address
    kind: str
    identity: str
    schema: str | None
    name: str
    attributes: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    parent: Address | None = None
    owner: str | None = None
    privileges: frozenset[Privilege] | None = None
    default_privileges: frozenset[Privilege] | None = None
    comment: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    extensions: frozenset[str] = frozenset()
    """Names of those that it DEPENDS ON and goes with (`pg_depend.deptype` x)."""

    def __getitem__(self, attribute: str) -> Any:
        """Value of an attribute, or of a fact when the name begins with an underscore."""
        return self.facts[attribute[1:]] if attribute.startswith("_") else self.attributes[attribute]


def frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(frozen(v) for v in value)
    if isinstance(value, dict):
        return {k: frozen(v) for k, v in value.items()}
    return value
