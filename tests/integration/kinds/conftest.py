"""What the tests of the kinds share: bring a database from one state to another by the kinds' statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.kinds.kind import Part, Scene, Step

Connection = psycopg.Connection[Any]
Convert = Callable[..., list[str]]


def snapshot(connection: Connection) -> Snapshot:
    with connection.transaction():
        return read(connection, list(registry().values()))


@contextmanager
def passing(connection: Connection, sql: str) -> Iterator[Snapshot]:
    """Snapshot of what the statements make, none of which stays."""
    with connection.transaction(force_rollback=True):
        connection.execute(sql)
        yield read(connection, list(registry().values()))


def compared(objects: Mapping[Address, Object], kind: str) -> dict[Address, tuple[Any, ...]]:
    return {
        o.address: (o.identity, o.attributes, o.parent, o.owner, o.comment, o.privileges)
        for o in objects.values()
        if o.kind == kind
    }


def changed(old: Object, new: Object) -> frozenset[str]:
    return frozenset(a for a in new.attributes if old.attributes[a] != new.attributes[a])


def steps_between(scene: Scene, kind_name: str) -> list[Step]:
    """Statements for the objects of one kind (and what is written inside them): drop, create, alter."""
    kind = registry()[kind_name]
    live = {a: o for a, o in scene.live.objects.items() if o.kind == kind_name}
    desired = {a: o for a, o in scene.desired.objects.items() if o.kind == kind_name}
    steps = [s for a, o in live.items() if a not in desired for s in kind.drop(o, scene)]
    for address, obj in desired.items():
        old = live.get(address)
        if (old is None and kind.produced(obj, scene)) or (old is not None and not changed(old, obj)):
            continue
        altered = None if old is None else kind.alter(old, obj, changed(old, obj), scene)
        if altered is None:
            steps += kind.drop(old, scene) if old else []
            steps += kind.create(obj, parts(obj, scene), scene) + kind.finish(obj, scene)
        else:
            steps += altered
    return steps


def parts(obj: Object, scene: Scene) -> list[Part]:
    found = []
    for child in scene.desired.children.get(obj.address, ()):
        kind = registry()[child.kind]
        text = kind.inline(child, (), scene) if kind.joins(child, scene) else None
        if text is not None:
            found.append(Part(child, text))
    return found


@pytest.fixture
def convert(database: Connection) -> Convert:
    """Run `old`, then the statements that make of it what `new` would have made; returns those.

    `setup` stays as it is on both sides. Fails when the result differs from `new`.
    """

    def run(kind: str, old: str, new: str, *, setup: str = "") -> list[str]:
        if setup:
            database.execute(setup)
        with passing(database, new or "SELECT") as desired:
            pass
        if old:
            database.execute(old)
        live = snapshot(database)
        scene = Scene(live, desired, database.info.server_version)
        statements = [step.sql for step in steps_between(scene, kind)]
        for statement in statements:
            database.execute(statement)
        after = snapshot(database)
        assert compared(after.objects, kind) == compared(desired.objects, kind)
        assert after.unmodelled == desired.unmodelled
        return statements

    return run
