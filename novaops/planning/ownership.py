"""Whose rights a plan needs: the copy that it is rehearsed on belongs to the applier, the database may not.

ALTER, DROP and COMMENT ON are for members of the owner; a DROP also for members of the owner of the
schema (src/backend/commands/tablecmds.c, RangeVarCallbackForDropRelation()). What belongs to a table is
made, changed and dropped by the table's owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.draft import Draft
from novaops.planning.nodes import kind_of
from novaops.planning.plan import Owned, Plan


def ownership(made: Draft, renamed: Iterable[Address] = ()) -> tuple[Owned, ...]:
    """The existing objects that only certain roles may change as the draft does, or rename, each once."""
    live = made.scene.live
    needed = [pair for change in made.changes.values() for pair in _needed(change, made)]
    needed += [pair for address in renamed if address in live for pair in _owned(live[address], live)]
    found: dict[str, tuple[str, ...]] = {}
    for obj, roles in needed:
        known = found.get(obj.identity, roles)
        found[obj.identity] = tuple(role for role in known if role in roles)
    return tuple(Owned(identity, roles) for identity, roles in sorted(found.items()))


def lacking(connection: psycopg.Connection[Any], plan: Plan) -> list[Owned]:
    """Those of the plan's objects whose owner the connection's role is no member of."""
    roles = {role for owned in plan.owned for role in owned.roles}
    query = "SELECT r FROM unnest(%s::text[]) AS r WHERE pg_has_role(r, 'USAGE')"
    held = {role for (role,) in connection.execute(query, [sorted(roles)])}
    return [owned for owned in plan.owned if held.isdisjoint(owned.roles)]


def _needed(change: Change, made: Draft) -> Iterator[tuple[Object, tuple[str, ...]]]:
    live = made.scene.live
    if any(o.address in made.scene.replaced for o in live.ancestors(_before(change))):
        return  # it goes with what contains it
    match change:
        case Create(new):
            *_, root = new, *made.scene.desired.ancestors(new)
            old = live.objects.get(root.address)
            contained = root is not new and kind_of(new).belongs and not kind_of(new).grantable
            if old is not None and contained:
                yield from _owned(old, live)
        case Drop(old) | Replace(old):
            yield from _owned(old, live, dropped=isinstance(change, Drop))
        case Alter(old):
            if change.changed or change.comment or change.labels or change.extensions or change.owner:
                yield from _owned(old, live)


def _before(change: Change) -> Object:
    return change.new if isinstance(change, Create) else change.old


def _owned(old: Object, live: Snapshot, dropped: bool = False) -> Iterator[tuple[Object, tuple[str, ...]]]:
    *_, root = old, *live.ancestors(old)
    if root.owner is None or not kind_of(old).belongs:
        return
    roles = [root.owner]
    schema = live.objects.get(Address("schema", (root.schema or "",)))
    if dropped and root is old and schema is not None and schema.owner is not None:
        roles.append(schema.owner)
    yield root, tuple(dict.fromkeys(roles))
