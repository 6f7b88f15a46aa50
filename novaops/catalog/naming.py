"""Objects under other names, and addresses made of names."""

from __future__ import annotations

from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_qualified

OWN_NAME = ("quoted", "name")
"""Facts that hold the object's own name as it is written."""


def place(obj: Object) -> tuple[str, ...]:
    """What addresses it but for its own name: its schema, or its table with that, or nothing."""
    match obj.address.type:
        case "type":  # whose address holds schema and name in one string
            return (obj.schema or "",)
        case "domain constraint":  # whose own name stands beside that of the domain
            return obj.address.names
        case _:
            return obj.address.names[:-1]


def address(
    like: Object, at: tuple[str, ...], name: str, arguments: tuple[str, ...] | None = None
) -> Address:
    """The address of an object of this type at another place, of another name or with other arguments."""
    match like.address.type:
        case "type":
            return Address("type", (quote_qualified(*at, name),))
        case "domain constraint":
            return Address("domain constraint", at, (name,))
        case other:
            return Address(other, (*at, name), like.address.args if arguments is None else arguments)


def called(obj: Object, schema: str | None, name: str) -> Object:
    """The object under another name, or in another schema; what it contains, and is part of, stays as it is."""
    at = place(obj)
    if obj.schema is not None and obj.address.type != "schema" and schema != obj.schema:
        at = tuple(schema or "" if each == obj.schema else each for each in at)
    before = _written(obj, obj.schema, obj.name)
    rest = obj.identity.removeprefix(before)
    identity = obj.identity if rest == obj.identity else _written(obj, schema, name) + rest
    facts = {k: quote_ident(name) if k in OWN_NAME else v for k, v in obj.facts.items()}
    return replace(
        obj,
        address=address(obj, at, name),
        identity=identity,
        schema=name if obj.address.type == "schema" else schema,
        name=name,
        facts=facts,
    )


def _written(obj: Object, schema: str | None, name: str) -> str:
    """How the identity of an object that is part of no other begins."""
    if schema is None or obj.address.type == "schema":
        return quote_ident(name)
    return quote_qualified(schema, name)
