"""The address of an object: PostgreSQL's own, equal on every server that has the object."""

from __future__ import annotations

from typing import NamedTuple


class Address(NamedTuple):
    """What `pg_identify_object_as_address()` returns: identity, diff key and graph key in one.

    `type` is the object type in words ("table", "table column", "function"), `names` and `args`
    the unquoted names that address it. Everything is looked up by addresses, and tuples hash fast.
    """

    type: str
    names: tuple[str, ...]
    args: tuple[str, ...] = ()


class Oid(NamedTuple):
    """A row of `pg_depend` terms: catalog, row, and column (0 for the whole object)."""

    classid: int
    objid: int
    objsubid: int = 0
