"""What a change seen on a copy means for the original: a merge of three snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot

T = TypeVar("T")


def carried(live: Snapshot, before: Snapshot, after: Snapshot) -> Snapshot:
    """`live` with what became of the copy between `before` and `after`.

    A copy is not its original: who made it owns it, it has no rows, and what could not be copied is
    missing. None of that is a change, so each value is taken from the copy only where it changed there.
    """
    objects = {
        a: _object(o, before.objects[a], after.objects[a]) if a in before and a in after else o
        for a, o in live.objects.items()
        if a not in before or a in after
    }
    for address, obj in after.objects.items():
        if address not in before and address not in live:
            objects[address] = replace(obj, owner=live.role if obj.owner == after.role else obj.owner)
    return replace(
        live,
        objects=objects,
        edges=_sequence(live.edges, before.edges, after.edges),
        unmodelled=_sequence(live.unmodelled, before.unmodelled, after.unmodelled),
        default_acl=_mapping(live.default_acl, before.default_acl, after.default_acl),
    )


def _object(live: Object, before: Object, after: Object) -> Object:
    changed: dict[str, Any] = {}
    for field in fields(Object):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new:
            changed[field.name] = _value(getattr(live, field.name), old, new)
    return replace(live, **changed) if changed else live


def _value(live: Any, before: Any, after: Any) -> Any:
    match live, before, after:
        case Mapping(), Mapping(), Mapping():
            return _mapping(live, before, after)
        case frozenset(), frozenset(), frozenset():
            return (live - (before - after)) | (after - before)
        case _:
            return after


def _mapping(live: Mapping[Any, T], before: Mapping[Any, T], after: Mapping[Any, T]) -> dict[Any, T]:
    merged = {k: v for k, v in live.items() if k not in before or k in after}
    merged.update({k: v for k, v in after.items() if k not in before or before[k] != v})
    return merged


def _sequence(live: Iterable[T], before: Iterable[T], after: Iterable[T]) -> tuple[T, ...]:
    old, new = set(before), set(after)
    kept = dict.fromkeys(x for x in live if x not in old or x in new)
    return tuple({**kept, **dict.fromkeys(x for x in after if x not in old)})
