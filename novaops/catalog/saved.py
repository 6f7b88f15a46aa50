"""A snapshot as JSON, and back: what a database was, kept in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object, frozen
from novaops.catalog.privileges import GRANTS, Grant, Privilege
from novaops.catalog.snapshot import Edge, Snapshot
from novaops.errors import NovaopsError
from novaops.invocation import command_line

FORMAT_VERSION = 1
SUFFIX = ".json"


def write_one() -> str:
    """Return what to do about a snapshot that is none."""
    return f"write one with: {command_line('dump', '--format', 'json')} > FILE"


def to_value(snapshot: Snapshot, database: Mapping[str, Any]) -> dict[str, Any]:
    """The snapshot as JSON knows it, in an order that depends on its content alone.

    `database` tells where it was read. Nothing is hidden: secrets are left out before (`without_secrets`).
    """
    return {
        "format_version": FORMAT_VERSION,
        "database": dict(database),
        "server_version": snapshot.version,
        "role": snapshot.role,
        "objects": [_object(obj) for _, obj in sorted(snapshot.objects.items())],
        "dependencies": sorted(
            [_address(e.dependent), _address(e.referenced), sorted(e.types)] for e in snapshot.edges
        ),
        "unmodelled": sorted(_address(address) for address in snapshot.unmodelled),
        "default_acl": [[*key, _privileges(found)] for key, found in sorted(snapshot.default_acl.items())],
    }


def read_saved(path: Path) -> tuple[Snapshot, Mapping[str, Any]]:
    """The snapshot in a file, and where it was read; raises `NovaopsError` for a file that holds none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NovaopsError(
            f"{path} cannot be read as a snapshot", detail=str(error), hint=write_one()
        ) from None
    if not isinstance(value, dict) or "objects" not in value:
        raise NovaopsError(f"{path} holds no snapshot of a database", hint=write_one())
    if value.get("format_version") != FORMAT_VERSION:
        raise NovaopsError(
            f"{path} has format_version {value.get('format_version')}, and this novaops reads {FORMAT_VERSION}",
            hint=write_one(),
        )
    try:
        return _snapshot(value), value["database"]
    except (KeyError, TypeError, ValueError) as error:
        raise NovaopsError(
            f"{path} is no snapshot that novaops wrote",
            detail=f"{type(error).__name__}: {error}",
            hint=write_one(),
        ) from None


def _object(obj: Object) -> dict[str, Any]:
    return {
        "address": _address(obj.address),
        "kind": obj.kind,
        "identity": obj.identity,
        "schema": obj.schema,
        "name": obj.name,
        "attributes": dict(obj.attributes),
        "facts": dict(obj.facts),
        "parent": None if obj.parent is None else _address(obj.parent),
        "owner": obj.owner,
        "privileges": None if obj.privileges is None else _privileges(obj.privileges),
        "default_privileges": None if obj.default_privileges is None else _privileges(obj.default_privileges),
        "comment": obj.comment,
        "labels": dict(obj.labels),
        "extensions": sorted(obj.extensions),
    }


def _address(address: Address) -> list[Any]:
    return [address.type, list(address.names), list(address.args)]


def _privileges(found: Iterable[Privilege]) -> list[list[Any]]:
    return sorted([p.grantee, p.privilege, p.grantable] for p in found)


def _snapshot(value: Mapping[str, Any]) -> Snapshot:
    objects = [_read_object(found) for found in value["objects"]]
    return Snapshot(
        objects={obj.address: obj for obj in objects},
        edges=tuple(
            Edge(_read_address(dependent), _read_address(referenced), frozenset(types))
            for dependent, referenced, types in value["dependencies"]
        ),
        unmodelled=tuple(_read_address(address) for address in value["unmodelled"]),
        version=value["server_version"],
        role=value["role"],
        default_acl={
            (role, schema, letter): _read_privileges(found) or frozenset()
            for role, schema, letter, found in value["default_acl"]
        },
    )


def _read_object(value: Mapping[str, Any]) -> Object:
    return Object(
        address=_read_address(value["address"]),
        kind=value["kind"],
        identity=value["identity"],
        schema=value["schema"],
        name=value["name"],
        attributes=frozen(value["attributes"]),
        facts=_read_facts(value["facts"]),
        parent=None if value["parent"] is None else _read_address(value["parent"]),
        owner=value["owner"],
        privileges=_read_privileges(value["privileges"]),
        default_privileges=_read_privileges(value["default_privileges"]),
        comment=value["comment"],
        labels=value["labels"],
        extensions=frozenset(value["extensions"]),
    )


def _read_facts(value: Mapping[str, Any]) -> Mapping[str, Any]:
    facts: dict[str, Any] = frozen(value)
    return {**facts, GRANTS: tuple(Grant(*each) for each in facts[GRANTS])} if GRANTS in facts else facts


def _read_address(value: Any) -> Address:
    kind, names, args = value
    return Address(kind, tuple(names), tuple(args))


def _read_privileges(value: Any) -> frozenset[Privilege] | None:
    return None if value is None else frozenset(Privilege(*each) for each in value)
