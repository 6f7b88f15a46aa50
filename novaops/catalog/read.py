"""Reads a database into a `Snapshot` with the queries of the kinds it is given."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row, tuple_row

from novaops.catalog.address import Address, Oid
from novaops.catalog.dependencies import Dependencies
from novaops.catalog.object import Object, frozen
from novaops.catalog.privileges import parse_acl
from novaops.catalog.snapshot import Snapshot
from novaops.db.sql_files import for_server

RESERVED = {"classid", "objid", "objsubid", "parent", "owner", "acl", "acl_default"}
ADDRESS = {"address_type", "address_names", "address_args", "identity", "object_schema", "object_name"}

# The settings that deparsed text, and the time to get it, depend on; a fresh connection's may differ from ours
# by role or database.
SETTINGS = {
    "search_path": "",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    "row_security": "off",
    "xmlbinary": "base64",
    "statement_timeout": "0",
    "lock_timeout": "0",
    # Catalogs are read as a whole, and where much was made just now their statistics are of before.
    "enable_nestloop": "off",
    "jit": "off",
}


class Reader(Protocol):
    """The part of a kind that reading needs."""

    @property
    def name(self) -> str: ...

    @property
    def acl_type(self) -> str | None: ...

    @property
    def owned(self) -> bool: ...

    @property
    def supplied(self) -> bool: ...

    def sql(self) -> str:
        """The text of its .sql file."""


@dataclass(slots=True)
class _Row:
    oid: Oid
    parent: Oid | None
    kind: str
    values: dict[str, Any]
    supplied: bool = False


def read(connection: psycopg.Connection[Any], readers: Sequence[Reader], *, alone: bool = False) -> Snapshot:
    """Snapshot of the database of `connection`, inside whatever transaction it is in.

    The caller gives a REPEATABLE READ transaction (or the one that built a shadow); settings are
    pinned with SET LOCAL and so end with it. `alone` says that nobody else uses the database, so
    that what keeps locks may be asked as well.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        settings = {**SETTINGS, "novaops.alone": "on" if alone else "off"}
        pinned = ", ".join(["set_config(%s, %s, true)"] * len(settings))
        cursor.execute(f"SELECT {pinned}", [text for setting in settings.items() for text in setting])
        columns = _known_columns(cursor)
        version = connection.info.server_version
    texts = [_wrap(reader, for_server(reader.sql(), columns)) for reader in readers]
    rows = list(_rows(connection, readers, texts))
    about = _about(connection)
    members = {Oid(*m[:2]): m[2] for m in about["extension_members"]}
    comments = {Oid(*c[:3]): c[3] for c in about["comments"]}
    labels: dict[Oid, dict[str, str]] = {}
    for label in about["security_labels"]:
        labels.setdefault(Oid(*label[:3]), {})[label[3]] = label[4]
    default_acl = {(r, s, t): parse_acl(tuple(a), r) for r, s, t, a in about["default_acl"]}
    own = _without_members(rows, members)
    objects, claims = _objects(own, comments, labels)
    dependencies = Dependencies(claims, [(Oid(*d[0:3]), Oid(*d[3:6]), d[6]) for d in about["pg_depend"]])
    for address, extensions in dependencies.extensions().items():
        objects[address] = replace(objects[address], extensions=extensions)
    with connection.cursor(row_factory=tuple_row) as cursor:
        unmodelled = _unmodelled(cursor, dependencies, members)
    return Snapshot(
        objects=objects,
        edges=dependencies.edges(objects),
        unmodelled=unmodelled,
        version=version,
        role=about["role"][0][0],
        default_acl=default_acl,
        claims=claims,
    )


def _about(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """What is said about objects in catalogs that belong to no kind."""
    names = ("pg_depend", "extension_members", "comments", "security_labels", "default_acl")
    texts = {**{name: _query(name) for name in names}, "role": "SELECT current_user"}
    with connection.pipeline():
        cursors = {k: connection.cursor(row_factory=tuple_row).execute(text) for k, text in texts.items()}
    return {name: cursor.fetchall() for name, cursor in cursors.items()}


def _query(name: str) -> str:
    return files("novaops.catalog").joinpath(f"{name}.sql").read_text()


def _known_columns(cursor: psycopg.Cursor[Any]) -> frozenset[tuple[str, str]]:
    found = cursor.execute(
        "SELECT c.relname, a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'"
        # pg_subscription.subconninfo is for superusers only.
        " AND has_column_privilege(c.oid, a.attnum, 'SELECT')"
    ).fetchall()
    return frozenset((r, a) for r, a in found)


def _wrap(reader: Reader, sql: str) -> str:
    """The kind's query with the address of each row, its owner's name and its default privileges."""
    extra = ", pg_catalog.pg_get_userbyid(q.owner) AS owner_name" if reader.owned or reader.acl_type else ""
    if reader.acl_type:
        extra += (
            f", q.acl::text[] AS acl_items, acldefault('{reader.acl_type}', q.owner)::text[] AS acl_default"
        )
    return (
        "SELECT a.type AS address_type, a.object_names AS address_names, a.object_args AS address_args,"
        f" i.identity, i.schema AS object_schema, i.name AS object_name{extra}, q.*\nFROM (\n{sql.strip().rstrip(';')}\n) AS q,"
        " LATERAL pg_catalog.pg_identify_object_as_address(q.classid, q.objid, q.objsubid) AS a,"
        " LATERAL pg_catalog.pg_identify_object(q.classid, q.objid, q.objsubid) AS i"
    )


def _rows(
    connection: psycopg.Connection[Any], readers: Sequence[Reader], texts: Sequence[str]
) -> Iterable[_Row]:
    cursors = []
    with connection.pipeline():
        for text in texts:
            cursors.append(connection.cursor(row_factory=dict_row).execute(text))
    for reader, cursor in zip(readers, cursors, strict=True):
        for values in cursor:
            parent = values.get("parent")
            yield _Row(
                Oid(values["classid"], values["objid"], values["objsubid"]),
                Oid(*parent) if parent else None,
                reader.name,
                values,
                reader.supplied,
            )


def _without_members(rows: Sequence[_Row], members: Container[Oid]) -> list[_Row]:
    """Rows of the database itself: neither they nor what contains them belongs to an extension."""
    by_oid = {row.oid: row for row in rows if not row.supplied}

    def belongs(row: _Row) -> bool:
        at: _Row | None = None if row.supplied else row
        while at is not None:
            if Oid(at.oid.classid, at.oid.objid) in members:
                return True
            at = by_oid.get(at.parent) if at.parent else None
        return False

    return [row for row in rows if not belongs(row)]


def _address(row: _Row) -> Address:
    v = row.values
    return Address(v["address_type"], tuple(v["address_names"]), tuple(v["address_args"] or ()))


def _objects(
    rows: Sequence[_Row], comments: Mapping[Oid, str], labels: Mapping[Oid, dict[str, str]]
) -> tuple[dict[Address, Object], dict[Oid, Address]]:
    # What depends on a member of an extension depends on the extension.
    claims = {row.oid: _address(row) for row in rows if not row.supplied}
    by_oid = {row.oid: row for row in rows if not row.supplied}
    objects: dict[Address, Object] = {}
    columns: dict[str, tuple[list[str], list[str]]] = {}
    for row in rows:
        v = row.values
        if row.kind not in columns:
            columns[row.kind] = _own_columns(v)
        compared, facts = columns[row.kind]
        owner = v.get("owner_name")
        default = parse_acl(tuple(v["acl_default"]), owner) if "acl_default" in v else None
        privileges = default
        if v.get("acl_items") is not None:
            privileges = parse_acl(tuple(v["acl_items"]), owner)
        address = _address(row) if row.supplied else claims[row.oid]
        objects[address] = Object(
            address=address,
            kind=row.kind,
            identity=v["identity"],
            schema=_schema(row, by_oid),
            name=_name(address, v["object_name"]),
            attributes={k: frozen(v[k]) for k in compared},
            facts={k[1:]: frozen(v[k]) for k in facts},
            parent=claims.get(row.parent) if row.parent else None,
            owner=owner,
            privileges=privileges,
            default_privileges=default,
            comment=None if row.supplied else comments.get(row.oid),
            labels={} if row.supplied else labels.get(row.oid, {}),
        )
    return objects, claims


_WRAPPED = {"owner_name", "acl_items"}


def _own_columns(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The columns of the kind's own query: what is compared, and what is only known."""
    own = [name for name in names if name not in RESERVED | ADDRESS | _WRAPPED]
    return [n for n in own if not n.startswith("_")], [n for n in own if n.startswith("_")]


def _schema(row: _Row, by_oid: Mapping[Oid, _Row]) -> str | None:
    at = row
    while at.parent is not None and at.parent in by_oid:
        at = by_oid[at.parent]
    if at.values["address_type"] == "schema":
        return str(at.values["address_names"][0])
    # pg_identify_object() quotes the schema; the address holds it bare for everything but types.
    quoted: str | None = at.values["object_schema"]
    return _unquoted(quoted)


def _unmodelled(
    cursor: psycopg.Cursor[Any], dependencies: Dependencies, members: Mapping[Oid, str]
) -> tuple[Address, ...]:
    """Addresses of everything in the catalogs that no kind claims and that belongs to nothing claimed."""
    stray = []
    for classid, objid in cursor.execute(_query("inventory")).fetchall():
        oid = Oid(classid, objid)
        if oid not in members and dependencies.resolve(oid) is None and not dependencies.within(oid, members):
            stray.append(oid)
    found = []
    for oid in stray:
        row = cursor.execute("SELECT * FROM pg_identify_object_as_address(%s, %s, 0)", oid[:2]).fetchone()
        if row is not None:
            found.append(Address(row[0], tuple(row[1]), tuple(row[2] or ())))
    return tuple(sorted(found))


def _name(address: Address, object_name: str | None) -> str:
    """The bare name; a type's address holds it in one string with the schema, quoted, its constraint's beside that."""
    if address.type == "type" and object_name is not None:
        return _unquoted(object_name) or ""
    return address.args[0] if address.type == "domain constraint" else address.names[-1]


def _unquoted(name: str | None) -> str | None:
    return name[1:-1].replace('""', '"') if name and name.startswith('"') else name
