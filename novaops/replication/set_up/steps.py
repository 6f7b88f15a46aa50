"""The steps of a set-up that are still to be taken, in their order.

publication before slot, slot before subscription; triggers that notify are held back before the first
row is copied, and given their modes when the last one is there. Each step finds out by itself what is left to do,
so that a run which was killed within one goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.replication.facts import Subscription, publication, slots
from novaops.replication.reach import connection
from novaops.replication.set_up import acts, role
from novaops.replication.set_up import publication as publications
from novaops.replication.set_up.keys import differing
from novaops.replication.set_up.read_only import left_over, unguarded, writable
from novaops.replication.set_up.setting import Setting, filled, modes, reconciling, relations
from novaops.replication.set_up.tables import lacking
from novaops.replication.set_up.taken import SlotMade


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do; `run` does it and returns what came of it, in a few words."""

    name: str
    title: str
    run: Callable[[], str]


def steps(setting: Setting) -> list[Step]:
    """What is to be done; nothing where everything is as declared. Only reads."""
    return list(_steps(setting))


def _steps(setting: Setting) -> Iterator[Step]:
    pair, replication = setting.pair, setting.replication
    source = pair.source.connection
    found = setting.subscription()
    _check(setting, found)
    lacks = lacking(pair, replication)
    if lacks:
        yield Step("tables", f"making {lacks} on the target", partial(acts.make_tables, setting))
        yield Step("trial", "trying a row on what was made", partial(acts.try_row, setting))
    fresh = found is None
    behind = not fresh and not lacks and relations(found) != {(t.schema, t.name) for t in replication.tables}
    copying = fresh or behind or bool(lacks) or not (found and found.ready)
    if replication.copy == "data" and not reconciling(setting) and any(filled(setting, lacks.tables)):
        yield Step("rows", "looking for rows that would be lost", partial(acts.look_at_rows, setting))
    if publications.statements(source, replication):
        yield Step("publication", f"publication {replication.publication}", partial(acts.publish, setting))
    if role.lacks(source, replication):
        yield Step("role", f"role {replication.role}", partial(acts.make_role, setting))
    reached = None if fresh else connection(pair.target.connection, replication.subscription)
    if reached is not None and (changed := reached.differing(replication)):
        title = f"another {', '.join(changed)} for {replication.subscription}"
        yield Step("connection", title, partial(acts.reconnect, setting))
    if copying and replication.copy == "data":
        yield Step("hold", "holding notifications back", partial(acts.hold, setting))
    if fresh:
        yield Step("slot", f"slot {replication.slot}", partial(acts.slot, setting))
        yield Step(
            "subscription", f"subscription {replication.subscription}", partial(acts.subscribe, setting)
        )
    if found is not None and not found.disable_on_error:
        yield Step("stop", f"letting {found.name} stop at errors", partial(acts.stop_at_errors, setting))
    if fresh or (found is not None and not found.enabled):
        yield Step("enable", f"enabling {replication.subscription}", partial(acts.enable, setting))
    if behind or (lacks and not fresh):
        yield Step("refresh", f"new tables for {replication.subscription}", partial(acts.refresh, setting))
    if copying:
        yield Step("copy", "copying rows", partial(acts.copy, setting))
    if (copying and replication.copy == "data") or reconciling(setting):
        yield Step("reconcile", "comparing with the rows that were there", partial(acts.reconcile, setting))
    if differing(pair, replication):
        yield Step("keys", "keys that never meet", partial(acts.part_keys, setting))
    target = pair.target.connection
    made_writable = bool(lacks) and replication.read_only  # a table to be made has no guard yet
    if made_writable or unguarded(target, replication) or writable(target, replication):
        yield Step("read only", "refusing writes to the replica", partial(acts.refuse_writes, setting))
    if left_over(target, replication):
        yield Step("read only", "the replica takes writes again", partial(acts.allow_writes, setting))
    if copying or modes(setting):
        yield Step("triggers", "modes of triggers", partial(acts.set_triggers, setting))


def _check(setting: Setting, found: Subscription | None) -> None:
    """What cannot be gone on from; nothing is changed then."""
    replication, to = setting.replication, setting.replication.target.database
    there = slots(setting.pair.source.connection).get(replication.slot)
    ours = setting.journal is None or setting.has_taken(SlotMade, replication.slot)
    if found is None and there is not None and not ours:
        raise NovaopsError(
            f"there is a slot {replication.slot} on {replication.source} that no subscription of {to} uses",
            detail="another one may read from it"
            if there.active_pid
            else f"nobody reads it; it keeps {there.retained or 0} bytes of WAL",
            hint=f"if nobody needs it, there: SELECT pg_drop_replication_slot('{replication.slot}'); "
            'otherwise name another in [[replication]]: slot = "…"',
        )
    if found is not None and (there is None or there.lost):
        raise NovaopsError(
            f"the slot {replication.slot} of the subscription {found.name} is {'lost' if there else 'not there'}",
            detail="rows that were written since are not sent any more",
            hint=command_line("replicate rebuild", *replication.options),
        )
    if found is not None and publication(setting.pair.source.connection, replication.publication) is None:
        raise NovaopsError(
            f"{replication.source.database} has no publication {replication.publication} any more",
            detail="made anew, it would send what is written from then on, and nobody would miss the rows before",
            hint=command_line("replicate rebuild", *replication.options),
        )
    if found is not None and replication.publication not in found.publications:
        raise NovaopsError(
            f"{to} has a subscription {found.name} to other publications: {', '.join(found.publications)}",
            hint='name another in [[replication]]: subscription = "…"',
        )
