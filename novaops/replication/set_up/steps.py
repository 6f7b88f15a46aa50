"""The steps of a set-up that are still to be taken, in their order.

publication before slot, slot before subscription; triggers that notify are held back before the first
row is copied, and given their modes when the last one is there. Each step finds out by itself what is left to do,
so that a run which was killed within one goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from novaops.errors import NovaopsError
from novaops.progress import Reporter
from novaops.replication.checks import Scene
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.facts import Subscription, publication, slots, subscriptions
from novaops.replication.pair import Pair, bound_lock_waits
from novaops.replication.probe import probe
from novaops.replication.proof.compare import compare
from novaops.replication.proof.repair import repair_of
from novaops.replication.set_up import held, role, subscription
from novaops.replication.set_up import publication as publications
from novaops.replication.set_up.copied_rows import is_empty
from novaops.replication.set_up.copying import wait_for_worker, wait_until_copied
from novaops.replication.set_up.journal import RunJournal
from novaops.replication.set_up.keys import count, differing, undoing
from novaops.replication.set_up.read_only import guard, shown, unguarded
from novaops.replication.set_up.slot import drop_slot, make_slot
from novaops.replication.set_up.tables import lacking, statements
from novaops.replication.trigger_modes import Change, standings


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do; `run` does it and returns what came of it, in a few words."""

    name: str
    title: str
    run: Callable[[], str]


@dataclass(slots=True)
class Setting:
    """What all steps work with. Without a journal they can only be listed."""

    pair: Pair
    replication: Replication
    journal: RunJournal | None
    reporter: Reporter
    wait: timedelta
    deletes: bool = False
    """Whether rows that the target has alone may go: who builds anew has agreed to that."""

    @property
    def log(self) -> RunJournal:
        assert self.journal is not None  # noqa: S101
        return self.journal

    def subscription(self) -> Subscription | None:
        return subscriptions(self.pair.target.connection).get(self.replication.subscription)


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
        yield Step("tables", f"making {lacks} on the target", partial(make_tables, setting))
        yield Step("trial", "trying a row on what was made", partial(try_row, setting))
    if publications.statements(source, replication):
        yield Step("publication", f"publication {replication.publication}", partial(publish, setting))
    if role.lacks(source, replication):
        yield Step("role", f"role {replication.role}", partial(make_role, setting))
    fresh = found is None
    behind = not fresh and not lacks and _relations(found) != {(t.schema, t.name) for t in replication.tables}
    copying = fresh or behind or bool(lacks) or not (found and found.ready)
    if copying and replication.copy == "data":
        yield Step("hold", "holding notifications back", partial(hold, setting))
    if fresh:
        yield Step("slot", f"slot {replication.slot}", partial(slot, setting))
        yield Step("subscription", f"subscription {replication.subscription}", partial(subscribe, setting))
    if found is not None and not found.disable_on_error:
        yield Step("stop", f"letting {found.name} stop at errors", partial(stop_at_errors, setting))
    if fresh or (found is not None and not found.enabled):
        yield Step("enable", f"enabling {replication.subscription}", partial(enable, setting))
    if behind or (lacks and not fresh):
        yield Step("refresh", f"new tables for {replication.subscription}", partial(refresh, setting))
    if copying:
        yield Step("copy", "copying rows", partial(copy, setting))
    if (copying and replication.copy == "data") or _reconciling(setting):
        yield Step("reconcile", "comparing with the rows that were there", partial(reconcile, setting))
    if differing(pair, replication):
        yield Step("keys", "keys that never meet", partial(part_keys, setting))
    if unguarded(pair.target.connection, replication):
        yield Step("read only", "refusing writes to the replica", partial(refuse_writes, setting))
    if copying or _modes(setting):
        yield Step("triggers", "modes of triggers", partial(set_triggers, setting))


def _check(setting: Setting, found: Subscription | None) -> None:
    """What cannot be gone on from; nothing is changed then."""
    replication, to = setting.replication, setting.replication.target.database
    there = slots(setting.pair.source.connection).get(replication.slot)
    ours = setting.journal is None or setting.journal.has_made("slot", replication.slot)
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
            hint=f"novaops replicate rebuild --to {to}",
        )
    if found is not None and publication(setting.pair.source.connection, replication.publication) is None:
        raise NovaopsError(
            f"{replication.source.database} has no publication {replication.publication} any more",
            detail="made anew, it would send what is written from then on, and nobody would miss the rows before",
            hint=f"novaops replicate rebuild --to {to}",
        )
    if found is not None and replication.publication not in found.publications:
        raise NovaopsError(
            f"{to} has a subscription {found.name} to other publications: {', '.join(found.publications)}",
            hint='name another in [[replication]]: subscription = "…"',
        )


def _relations(found: Subscription | None) -> set[tuple[str, str]]:
    return {(r.schema, r.name) for r in found.relations} if found else set()


def _reconciling(setting: Setting) -> bool:
    return setting.journal is not None and any(m.kind == "reconciling" for m in setting.journal.made)


# -- the steps ------------------------------------------------------------------------------


def make_tables(setting: Setting) -> str:
    """Make what the target lacks, in one transaction."""
    lacks = lacking(setting.pair, setting.replication)
    if not lacks:
        return ""
    made = statements(setting.pair, lacks, setting.reporter)
    for making in made:
        if making.undo is not None:
            setting.log.making("object", making.name, making.undo)
    target = setting.pair.target.connection
    with target.transaction():
        target.execute("SET LOCAL check_function_bodies = off")
        bound_lock_waits(target)
        for making in made:
            target.execute(making.sql.encode())
    asked = {table.qualified for table in lacks.tables}
    also = dict.fromkeys(m.name.removeprefix("public.") for m in made if m.new_table and m.name not in asked)
    named = f", and {', '.join(also)}, which triggers name" if also else ""
    return f"made {lacks} as on the source{named}"


def try_row(setting: Setting) -> str:
    """Apply a row on the tables that were made, before anything is sent to them: their triggers came with them.

    Raises `NovaopsError` with what their functions miss.
    """
    tried = probe(Scene.of(setting.pair, setting.replication), setting.reporter)
    wrong = [finding for finding in tried.findings if finding.severity == "error"]
    if wrong:
        to = setting.replication.target.database
        raise NovaopsError(
            wrong[0].message,
            detail="\n".join(filter(None, [wrong[0].detail, *(finding.message for finding in wrong[1:])]))
            or None,
            hint=f"install what the files declare there first: novaops apply --database {to}",
        )
    return f"a row of {', '.join(tried.tried)} goes through" if tried.tried else ""


def publish(setting: Setting) -> str:
    """Make or alter the publication."""
    source, replication = setting.pair.source.connection, setting.replication
    found = publication(source, replication.publication)
    wanted = publications.statements(source, replication)
    if not wanted:
        return ""
    if found is None:
        setting.log.making("publication", replication.publication)
    elif not setting.log.has_made("publication", replication.publication):
        former = [statement.as_string(source) for statement in publications.former(found)]
        setting.log.making("publication tables", replication.publication, *former)
    with source.transaction():
        bound_lock_waits(source)
        for statement in wanted:
            source.execute(statement)
    return replication.publication


def make_role(setting: Setting) -> str:
    """The role of the subscription's connection."""
    name = setting.replication.role or ""
    if not role.exists(setting.pair.source.connection, name):
        setting.log.making("role", name)
    role.make(setting.pair, setting.replication)
    return name


def hold(setting: Setting) -> str:
    """Hold notifications back; other triggers get their declared modes before the first row comes."""
    return _set(setting, held.during_copy(setting.pair.target.connection, setting.replication), resync=False)


def slot(setting: Setting) -> str:
    """Make the slot; one that a killed run has left without a subscription may be too old, and is made anew."""
    name, source = setting.replication.slot, setting.pair.source.connection
    if setting.log.has_made("slot", name):
        drop_slot(source, name)
    setting.log.making("slot", name)
    make_slot(setting.pair, setting.replication, setting.reporter, setting.wait)
    return name


def subscribe(setting: Setting) -> str:
    """Make the subscription. The server copies into tables that are empty; others are reconciled."""
    replication = setting.replication
    wanted = replication.tables if replication.copy == "data" else ()
    empty = bool(wanted) and all(is_empty(setting.pair, table) for table in wanted)
    server_copies = empty and not _reconciling(setting)
    _journal_copy(setting, wanted, server_copies)
    setting.log.making("subscription", replication.subscription)
    subscription.create(setting.pair, replication, copy=server_copies)
    return replication.subscription


def stop_at_errors(setting: Setting) -> str:
    """A subscription that was made by hand tries for ever, and nobody hears of it."""
    name = setting.replication.subscription
    setting.log.making("disable_on_error", name)
    subscription.alter(setting.pair.target.connection, name, "SET (disable_on_error = true)")
    return f"{name} stops at errors"


def enable(setting: Setting) -> str:
    """Let the worker start."""
    name = setting.replication.subscription
    if not setting.log.has_made("subscription", name):
        setting.log.making("enabled", name)
    subscription.alter(setting.pair.target.connection, name, "ENABLE")
    wait_for_worker(setting.pair, setting.replication)
    return "enabled"


def refresh(setting: Setting) -> str:
    """Tell the subscription of tables that the publication has got or lost."""
    found = setting.subscription()
    known = _relations(found)
    new = [t for t in setting.replication.tables if (t.schema, t.name) not in known]
    wanted = new if setting.replication.copy == "data" else []
    server_copies = bool(wanted) and all(is_empty(setting.pair, table) for table in wanted)
    _journal_copy(setting, wanted, server_copies)
    name = setting.replication.subscription
    setting.log.making("refresh", name)
    copy_data = "true" if server_copies else "false"
    subscription.alter(
        setting.pair.target.connection, name, f"REFRESH PUBLICATION WITH (copy_data = {copy_data})"
    )
    return ", ".join(map(str, new)) or "refreshed"


def copy(setting: Setting) -> str:
    """Wait until the server has copied all tables."""
    wait_until_copied(setting.pair, setting.replication, setting.reporter)
    return "copied, notifications held back" if not _reconciling(setting) else "no copy by the server"


def reconcile(setting: Setting) -> str:
    """Tables that had rows: what is missing or different is copied, row by row."""
    if not _reconciling(setting):
        return ""
    if not setting.deletes and setting.replication.direction == "one-way":
        _check_own_rows(setting)
    how = repair_of(setting.replication, deletes=setting.deletes)
    compared = compare(setting.pair, setting.replication, setting.reporter, repair=how)
    return f"{sum(c.repaired for c in compared)} rows brought into line with the source"


def _check_own_rows(setting: Setting) -> None:
    """A set-up deletes nothing; of large tables the pre-flight has seen only some keys."""
    for found in compare(setting.pair, setting.replication, setting.reporter):
        if found.extra:
            keys = "; ".join(", ".join(d.key) for d in found.shown if d.kind == "extra")
            raise NovaopsError(
                f"{found.table} on the target has rows that the source lacks: {found.extra}",
                detail=f"({', '.join(found.key)}) {keys}{'; …' * (found.extra > len(found.shown))}".strip(),
                hint='move or delete them on the target; or declare direction = "both" with keys that cannot meet',
            )


def part_keys(setting: Setting) -> str:
    """Let the sequences of both sides give keys that the other side never gives."""
    wanted = differing(setting.pair, setting.replication)
    for each in wanted:
        side = setting.pair.source if each.side == "source" else setting.pair.target
        setting.log.making("sequence", f"{each.side} {each.schema}.{each.name}", each.side, undoing(each))
        count(side.connection, each)
    return ", ".join(f"{each.name} of the {each.side} goes on with {each.restart}" for each in wanted)


def refuse_writes(setting: Setting) -> str:
    """Put a guard on every table and partition."""
    target = setting.pair.target.connection
    places = unguarded(target, setting.replication)
    for schema, name in places:
        setting.log.making("guard", f"{schema}.{name}", schema, name)
    guard(target, places)
    return f"{shown(places)} refuses writes of anybody but replication"


def set_triggers(setting: Setting) -> str:
    """The declared modes; where notifications were held back, one says that there is news."""
    return _set(setting, _modes(setting), resync=True)


def _modes(setting: Setting) -> list[Change]:
    target, replication = setting.pair.target.connection, setting.replication
    if setting.journal is not None:
        return held.afterwards(target, replication, setting.journal)
    return [
        Change(s.trigger, s.declared)
        for s in standings(target, replication.tables)
        if s.declared is not None and not s.as_declared
    ]


def _set(setting: Setting, changes: list[Change], *, resync: bool) -> str:
    for change in changes:
        setting.log.making("trigger mode", held.key(change.trigger), change.trigger.mode)
    held.set_modes(setting.pair.target.connection, changes, resync)
    return ", ".join(f"{c.trigger.name} {c.mode.upper()}" for c in changes)


def _journal_copy(
    setting: Setting, wanted: list[ReplicatedTable] | tuple[ReplicatedTable, ...], by_server: bool
) -> None:
    for table in wanted:
        if by_server or is_empty(setting.pair, table):
            setting.log.making("copied rows", table.qualified)
        if not by_server:
            setting.log.making("reconciling", table.qualified)
