"""What each step of a set-up does, by its name; returns what came of it, in a few words."""

from __future__ import annotations

from dataclasses import replace

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.replication.checks import Scene
from novaops.replication.consent import check_losses
from novaops.replication.declaration import ReplicatedTable
from novaops.replication.facts import publication
from novaops.replication.pair import bound_lock_waits
from novaops.replication.probe import probe
from novaops.replication.proof.compare import compare
from novaops.replication.proof.repair import repair_of
from novaops.replication.reach import connection
from novaops.replication.set_up import held, role, subscription
from novaops.replication.set_up import publication as publications
from novaops.replication.set_up.copied_rows import is_empty
from novaops.replication.set_up.copying import wait_for_another_worker, wait_for_worker, wait_until_copied
from novaops.replication.set_up.keys import count, differing, undoing
from novaops.replication.set_up.read_only import listed, refuse, release, shown, unguarded
from novaops.replication.set_up.setting import Setting, filled, modes, reconciling, relations
from novaops.replication.set_up.slot import drop_slot, make_slot
from novaops.replication.set_up.tables import lacking, statements
from novaops.replication.set_up.taken import (
    CountsApart,
    Enabled,
    Guarded,
    ModeSet,
    ObjectMade,
    PublicationAltered,
    PublicationMade,
    Reconciling,
    Reconnected,
    Refreshed,
    RoleMade,
    RowsCopied,
    SlotMade,
    StopsAtErrors,
    SubscriptionMade,
    WritesAllowed,
    WritesTaken,
)
from novaops.replication.trigger_modes import Change


def make_tables(setting: Setting) -> str:
    """Make what the target lacks, in one transaction."""
    lacks = lacking(setting.pair, setting.replication)
    if not lacks:
        return ""
    made = statements(setting.pair, lacks, setting.reporter)
    for making in made:
        if making.undo is not None:
            setting.taking(ObjectMade(making.name, making.undo))
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
            hint=f"install what the files declare there first: {command_line('apply', '--database', to)}",
        )
    return f"a row of {', '.join(tried.tried)} goes through" if tried.tried else ""


def look_at_rows(setting: Setting) -> str:
    """Compare with what is there, before anything is sent to it; raises `RefusedError` for a loss without consent.

    Nothing is under way to these tables, and a slot that a killed run has left has nobody whom a barrier could pass.
    """
    those = replace(setting.replication, tables=tuple(filled(setting)))
    compared = compare(setting.pair, those, setting.reporter, under_way=False)
    lost = check_losses(setting.replication, compared, setting.allow, setting.command)
    return "; ".join(f"{loss}, as allowed" for loss in lost)


def publish(setting: Setting) -> str:
    """Make or alter the publication."""
    source, replication = setting.pair.source.connection, setting.replication
    found = publication(source, replication.publication)
    wanted = publications.statements(source, replication)
    if not wanted:
        return ""
    if found is None:
        setting.taking(PublicationMade(replication.publication))
    elif not setting.has_taken(PublicationMade, replication.publication):
        former = [statement.as_string(source) for statement in publications.former(found)]
        setting.taking(PublicationAltered(replication.publication, tuple(former)))
    with source.transaction():
        bound_lock_waits(source)
        for statement in wanted:
            source.execute(statement)
    return replication.publication


def make_role(setting: Setting) -> str:
    """The role of the subscription's connection."""
    name = setting.replication.role or ""
    if not role.exists(setting.pair.source.connection, name):
        setting.taking(RoleMade(name))
    role.make(setting.pair, setting.replication)
    return name


def hold(setting: Setting) -> str:
    """Hold notifications back; other triggers get their declared modes before the first row comes."""
    return _set(setting, held.during_copy(setting.pair.target.connection, setting.replication), resync=False)


def slot(setting: Setting) -> str:
    """Make the slot; one that a killed run has left without a subscription may be too old, and is made anew."""
    name, source = setting.replication.slot, setting.pair.source.connection
    if setting.has_taken(SlotMade, name):
        drop_slot(source, name)
    setting.taking(SlotMade(name))
    make_slot(setting.pair, setting.replication, setting.reporter, setting.wait)
    return name


def subscribe(setting: Setting) -> str:
    """Make the subscription. The server copies into tables that are empty; others are reconciled."""
    replication = setting.replication
    wanted = replication.tables if replication.copy == "data" else ()
    empty = bool(wanted) and all(is_empty(setting.pair, table) for table in wanted)
    server_copies = empty and not reconciling(setting)
    _journal_copy(setting, wanted, server_copies)
    setting.taking(SubscriptionMade(replication.subscription))
    subscription.create(setting.pair, replication, copy=server_copies)
    return replication.subscription


def reconnect(setting: Setting) -> str:
    """Let the subscription reach the source as declared; the server tries it before."""
    target, replication = setting.pair.target.connection, setting.replication
    found, before = connection(target, replication.subscription), setting.subscription()
    if found is None or before is None or not (changed := found.differing(replication)):
        return ""
    secret = "yes" if found.holds_secret else ""
    setting.taking(Reconnected(replication.subscription, found.text, secret))
    subscription.reconnect(target, replication, found.wanted(replication))
    wait_for_another_worker(setting.pair, before)
    return f"{replication.subscription} reaches the source by another {', '.join(changed)}"


def stop_at_errors(setting: Setting) -> str:
    """A subscription that was made by hand tries for ever, and nobody hears of it."""
    name = setting.replication.subscription
    setting.taking(StopsAtErrors(name))
    subscription.alter(setting.pair.target.connection, name, "SET (disable_on_error = true)")
    return f"{name} stops at errors"


def enable(setting: Setting) -> str:
    """Let the worker start."""
    name = setting.replication.subscription
    if not setting.has_taken(SubscriptionMade, name):
        setting.taking(Enabled(name))
    subscription.alter(setting.pair.target.connection, name, "ENABLE")
    wait_for_worker(setting.pair, setting.replication)
    return "enabled"


def refresh(setting: Setting) -> str:
    """Tell the subscription of tables that the publication has got or lost."""
    found = setting.subscription()
    known = relations(found)
    new = [t for t in setting.replication.tables if (t.schema, t.name) not in known]
    wanted = new if setting.replication.copy == "data" else []
    server_copies = bool(wanted) and all(is_empty(setting.pair, table) for table in wanted)
    _journal_copy(setting, wanted, server_copies)
    name = setting.replication.subscription
    setting.taking(Refreshed(name))
    copy_data = "true" if server_copies else "false"
    subscription.alter(
        setting.pair.target.connection, name, f"REFRESH PUBLICATION WITH (copy_data = {copy_data})"
    )
    return ", ".join(map(str, new)) or "refreshed"


def copy(setting: Setting) -> str:
    """Wait until the server has copied all tables."""
    wait_until_copied(setting.pair, setting.replication, setting.reporter)
    return "copied, notifications held back" if not reconciling(setting) else "no copy by the server"


def reconcile(setting: Setting) -> str:
    """Tables that had rows: what is missing is copied, what is different or too many goes if that is allowed."""
    if not reconciling(setting):
        return ""
    replication, how = setting.replication, repair_of(setting.replication, setting.allow)
    compared = compare(setting.pair, replication, setting.reporter, repair=how)
    check_losses(replication, compared, setting.allow, setting.command)
    return f"{sum(c.repaired for c in compared)} rows brought into line with the source"


def part_keys(setting: Setting) -> str:
    """Let the sequences of both sides give keys that the other side never gives."""
    wanted = differing(setting.pair, setting.replication)
    for each in wanted:
        side = setting.pair.source if each.side == "source" else setting.pair.target
        setting.taking(CountsApart(f"{each.side} {each.schema}.{each.name}", each.side, undoing(each)))
        count(side.connection, each)
    return ", ".join(f"{each.name} of the {each.side} goes on with {each.restart}" for each in wanted)


def refuse_writes(setting: Setting) -> str:
    """Put a guard on every table and partition, and take the rights to write to them."""
    target = setting.pair.target.connection
    places = unguarded(target, setting.replication)
    for schema, name in places:
        setting.taking(Guarded(f"{schema}.{name}", schema, name))
    setting.taking(WritesTaken(setting.replication.name, str(setting.log.run)))
    taken = refuse(target, setting.replication, places, setting.log.run)
    parts = [f"{shown(places)} refuses writes of anybody but replication"] if places else []
    return "; ".join([*parts, *([f"taken: {listed(taken)}"] if taken else [])])


def allow_writes(setting: Setting) -> str:
    """Take the guards off, and give back the rights that were taken."""
    setting.taking(WritesAllowed(setting.replication.name, str(setting.log.run)))
    return str(release(setting.pair.target.connection, setting.replication))


def set_triggers(setting: Setting) -> str:
    """The declared modes; where notifications were held back, one says that there is news."""
    return _set(setting, modes(setting), resync=True)


def _set(setting: Setting, changes: list[Change], *, resync: bool) -> str:
    for change in changes:
        setting.taking(ModeSet(held.key(change.trigger), change.trigger.mode))
    held.set_modes(setting.pair.target.connection, changes, resync)
    return ", ".join(f"{c.trigger.name} {c.mode.upper()}" for c in changes)


def _journal_copy(
    setting: Setting, wanted: list[ReplicatedTable] | tuple[ReplicatedTable, ...], by_server: bool
) -> None:
    for table in wanted:
        if by_server or is_empty(setting.pair, table):
            setting.taking(RowsCopied(table.qualified))
        if not by_server:
            setting.taking(Reconciling(table.qualified))
