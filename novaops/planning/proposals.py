"""Likely renames: what is dropped and what is created look alike. They are proposed, never done unasked."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.diagnostics import Source
from novaops.planning.changes import Create, Drop, Replace
from novaops.planning.draft import Draft
from novaops.planning.nodes import kind_of

NEAR = 1
"""How far apart two may stand among what their parent has, where that has an order."""


def proposed(made: Draft, sources: Mapping[Address, Source]) -> Iterator[str]:
    """A line for each created object that looks like exactly one dropped, with the comment that says so."""
    dropped = _alike(made, Drop)
    created = _alike(made, Create)
    for key, news in created.items():
        olds = dropped.get(key, [])
        pairs = [(o, n) for n in news for o in olds if _near(o, n, made)]
        for old, new in pairs:
            if sum(n is new for _, n in pairs) == sum(o is old for o, _ in pairs) == 1:
                source = sources.get(new.address)
                where = f" at {source}" if source else ""
                yield (
                    f"{kind_of(new).name} {new.identity} looks like {old.identity}, which is dropped; if that is"
                    f" renamed, say so{where}: -- novaops: renamed from {quote_ident(old.name)}"
                )


def _alike(made: Draft, operation: type[Create | Drop]) -> dict[Hashable, list[Object]]:
    """Objects that come or go by themselves, by what they have in common."""
    snapshot = made.scene.desired if operation is Create else made.scene.live
    found: dict[Hashable, list[Object]] = {}
    for change in made.changes.values():
        if not isinstance(change, operation):
            continue
        obj = change.new if isinstance(change, Create) else change.old
        whole = (made.changes.get(o.address) for o in snapshot.ancestors(obj))
        if kind_of(obj).renames and not any(isinstance(c, Create | Drop | Replace) for c in whole):
            found.setdefault(_key(obj, snapshot), []).append(obj)
    return found


def _key(obj: Object, snapshot: Snapshot) -> Hashable:
    likeness = kind_of(obj).likeness(obj, snapshot)
    return obj.kind, obj.schema, obj.parent, obj.address.args, repr(sorted(likeness.items()))


def _near(old: Object, new: Object, made: Draft) -> bool:
    """Whether they stand at about the same place."""
    before, after = _rank(old, made.scene.live), _rank(new, made.scene.desired)
    return before is None or after is None or abs(before - after) <= NEAR


def _rank(obj: Object, snapshot: Snapshot) -> int | None:
    if "position" not in obj.facts or obj.parent is None:
        return None
    siblings = (o for o in snapshot.children.get(obj.parent, ()) if o.kind == obj.kind)
    return sum(bool(o["_position"] < obj["_position"]) for o in siblings)
