"""A database as a script: the plan that leads to it from an empty one."""

from __future__ import annotations

from collections.abc import Iterator

from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.planning import baseline
from novaops.planning.diff import Comparison
from novaops.planning.draft import Draft, draft, outermost
from novaops.planning.scope import OWN_SCHEMAS, Scope

# What one transaction may lock with default settings: max_locks_per_transaction × max_connections.
DEFAULT_LOCKS = 64 * 100
SETTINGS = ("SET check_function_bodies = off",)


def creation(part: Snapshot, scope: Scope, comparison: Comparison) -> Draft:
    """The draft that makes `part` in an empty database."""
    return draft(baseline.empty(part.version, ""), part, scope, comparison)


def managed_part(snapshot: Snapshot, scope: Scope) -> Snapshot:
    """The objects that `scope` manages, with the schemas and extensions that they need."""
    kept = {o.address for o in snapshot if scope.manages(o) and not scope.excluded(o, snapshot)}
    for address in list(kept):
        for edge in snapshot.dependencies.get(address, ()):
            if edge.referenced.type in ("extension", "schema"):
                kept.add(edge.referenced)
    return snapshot.part(kept)


def copied_part(snapshot: Snapshot, scope: Scope) -> Snapshot:
    """What the declared files may refer to although others manage it, as far as it stands by itself."""
    left = {
        o.address
        for o in snapshot
        if (scope.excluded(o, snapshot) or not scope.manages(o)) and o.schema not in OWN_SCHEMAS
    }
    todo = [a for a in snapshot.objects if a not in left]
    while todo:
        for edge in snapshot.dependents.get(todo.pop(), ()):
            if edge.dependent in left:
                left.discard(edge.dependent)
                todo.append(edge.dependent)
    return snapshot.part(left)


def dump(snapshot: Snapshot, scope: Scope, comparison: Comparison) -> str:
    """The script: loads with `psql -1 -v ON_ERROR_STOP=1` into a database fresh from template0."""
    made = creation(managed_part(snapshot, scope), scope, comparison)
    return "".join(_lines(made))


def _lines(made: Draft) -> Iterator[str]:
    locks = sum(o.address.type in LOCKING for o in made.scene.desired)
    yield "-- Schema of a PostgreSQL database, written by novaops.\n"
    yield f"-- Server version {made.scene.version // 10000}; load with: psql -1 -v ON_ERROR_STOP=1 -f FILE\n"
    if locks > DEFAULT_LOCKS:
        need = -(-locks // 100)
        yield f"-- One transaction needs max_locks_per_transaction = {need} (with 100 connections).\n"
    yield "\n"
    for setting in SETTINGS:
        yield f"{setting};\n"
    above: Object | None = None
    for written in made.written:
        root = outermost(written.object, made.scene.desired)
        if root is not above:
            yield "\n"
        above = root
        yield f"{written.step.sql};\n"


LOCKING = frozenset({"table", "index", "view", "materialized view", "sequence", "foreign table", "type"})
