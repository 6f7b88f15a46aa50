"""A database as a script: the plan that leads to it from an empty one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.db.locks import LockTable
from novaops.planning import baseline
from novaops.planning.diff import Comparison
from novaops.planning.draft import Draft, draft, outermost
from novaops.planning.masking import masked
from novaops.planning.scope import OWN_SCHEMAS, Scope

SETTINGS = ("SET check_function_bodies = off",)


def creation(part: Snapshot, scope: Scope, comparison: Comparison, role: str = "") -> Draft:
    """The draft that makes `part` in an empty database, as `role` if the objects are to belong to who makes them.

    Then rights that an owner has taken from himself are taken from that role.
    """
    return draft(baseline.empty(part.version, role), part, scope, comparison)


def managed_part(snapshot: Snapshot, scope: Scope) -> Snapshot:
    """The objects that `scope` manages, with the schemas and extensions that they need."""
    kept = {o.address for o in snapshot if _written(o, scope) and not scope.excluded(o, snapshot)}
    for address in list(kept):
        for edge in snapshot.dependencies.get(address, ()):
            if edge.referenced.type in ("extension", "schema"):
                kept.add(edge.referenced)
    return snapshot.part(kept)


def _written(obj: Object, scope: Scope) -> bool:
    return scope.manages(obj) or (obj.address.type == "schema" and obj.name in scope.schemas)


def omitted(snapshot: Snapshot, scope: Scope, secrets: bool) -> list[str]:
    """Name, in few words each, what `dump` does not write."""
    written = managed_part(snapshot, scope).objects
    left = [o for o in snapshot if o.address not in written and not scope.own(o)]
    ignored = [o for o in left if scope.excluded(o, snapshot)]
    schemas = sorted({o.schema for o in left if o.schema is not None} - scope.schemas)
    outside = Counter(
        o.kind for o in left if o.schema is None and o.address.type != "schema" and o not in ignored
    )
    found = []
    if schemas:
        found.append(f"the schemas {', '.join(map(quote_ident, schemas))}")
    if outside:
        kinds = ", ".join(f"{kind} ({number})" for kind, number in sorted(outside.items()))
        found.append(f"objects outside schemas, which --scope database writes: {kinds}")
    if ignored:
        found.append(f"objects that .pgschemaignore names ({len(ignored)})")
    if not secrets:
        found.append("passwords and connection strings, which --with-secrets writes")
    return [*found, "roles, tablespaces, settings of the database, subscriptions and rows"]


def copied_part(snapshot: Snapshot, scope: Scope, declared: Set[Address]) -> Snapshot:
    """Return what the files may refer to although others manage it, as far as it stands by itself.

    Of what is `declared` only schemas and extensions are in it, which hold more than the files declare.
    """
    left = {
        o.address
        for o in snapshot
        if (scope.excluded(o, snapshot) or not scope.manages(o))
        and o.schema not in OWN_SCHEMAS
        and (o.address not in declared or o.address.type in ("schema", "extension"))
    }
    todo = [a for a in snapshot.objects if a not in left]
    while todo:
        for edge in snapshot.dependents.get(todo.pop(), ()):
            if edge.dependent in left:
                left.discard(edge.dependent)
                todo.append(edge.dependent)
    return snapshot.part(left)


@dataclass(frozen=True, slots=True)
class Section:
    """What makes one object with everything that belongs to it; `path` names it in a folder."""

    path: str
    text: str


def dump(snapshot: Snapshot, scope: Scope, comparison: Comparison, secrets: bool = False) -> str:
    """The script: loads with `psql -1 -v ON_ERROR_STOP=1` into a database fresh from template0.

    Without `secrets` passwords and connection strings in it are masked.
    """
    made = creation(managed_part(snapshot, scope), scope, comparison)
    return _header(made) + "".join(f"\n{section.text}" for section in _sections(made, secrets))


def split(snapshot: Snapshot, scope: Scope, comparison: Comparison, secrets: bool = False) -> dict[str, str]:
    """The same as files, one for each object, whose order does not matter to novaops."""
    made = creation(managed_part(snapshot, scope), scope, comparison)
    files: dict[str, str] = {}
    for section in _sections(made, secrets):
        files[section.path] = "\n".join(filter(None, [files.get(section.path), section.text]))
    return files


def _header(made: Draft) -> str:
    locks, table = sum(written.locks for written in made.written), LockTable()
    at_once = "-1 " if locks <= table.size else ""
    lines = [
        "-- Schema of a PostgreSQL database, written by novaops.",
        f"-- Server version {made.scene.version // 10000}; load with: psql {at_once}-v ON_ERROR_STOP=1 -f FILE",
    ]
    if not at_once:
        lines.append(
            f"-- One transaction (psql -1) would take about {locks} locks, for which"
            f" max_locks_per_transaction = {table.setting_for(locks)} is enough."
        )
    return "\n".join([*lines, "", *(f"{s};" for s in SETTINGS), ""])


def _sections(made: Draft, secrets: bool) -> Iterator[Section]:
    """Runs of statements for one outermost object, in the order in which they must run."""
    for root, group in groupby(made.written, lambda w: outermost(w.object, made.scene.desired)):
        steps = [w.step for w in group]
        text = "".join(f"{step.sql if secrets else masked(step)};\n" for step in steps)
        yield Section(_path(root), text)


def _path(root: Object) -> str:
    """`public/table/users.sql`: names as they are, but for what a file system may not take."""
    schema = quote(root.schema or "database", safe=" ,[]()")
    if not schema.strip("."):
        schema = schema.replace(".", "%2E")  # a schema may be called ".."; no file leaves the folder
    name = quote("_".join((root.name, *root.address.args)), safe=" ,[]()")
    return f"{schema}/{root.kind.replace(' ', '_')}/{name[:200]}.sql"
