"""Whether a plan for one side of a replication stops the other side, or this one: looked up on the other side.

What decides is the rule by which `replicate apply` goes (`schema_change.goals`): what that would have to do to the
receiving side first, and has not been done there, is harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.desired.renamed import NewName
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.kinds import registry
from novaops.planning.changes import Change, Drop
from novaops.planning.diff import diff
from novaops.planning.draft import Draft
from novaops.planning.hazards import hazard
from novaops.planning.plan import Hazard
from novaops.planning.request import Request
from novaops.replication.declaration import Endpoint, ReplicatedTable, Replication
from novaops.replication.facts import slots
from novaops.replication.overlay import sides
from novaops.replication.pair import Side, open_side
from novaops.replication.schema_change.goals import tolerant
from novaops.replication.schema_change.intents import Intent, intents
from novaops.replication.schema_change.refusals import Recipes, Refusal, refusals
from novaops.replication.schema_change.tables import SHAPE, States, lists_of

HAZARD = "replication"


@dataclass(frozen=True, slots=True)
class Watch:
    """The replications that a database takes part in, each with whether it receives the rows."""

    sides: tuple[tuple[Replication, bool], ...]

    def __call__(self, request: Request, made: Draft) -> Iterator[tuple[Address, Hazard]]:
        """The hazards of a plan, each with the object of the draft that it is about. Connects only where there may be one."""
        changes = diff(request.live, request.goal, request.scope, request.comparison)
        for replication, receives in self.sides:
            for address, text in _harm(replication, receives, request, changes):
                shown = _shown(address, made.changes)
                obj = _object(address, request)
                yield shown, hazard(HAZARD, obj.identity if obj else replication.name, text)


def watch(declared: Iterable[Replication], database: Endpoint) -> Watch | None:
    """Who watches plans for a database; None where nothing is declared of it."""
    found = tuple(sides(declared, database))
    return Watch(found) if found else None


def _harm(
    replication: Replication, receives: bool, request: Request, changes: Mapping[Address, Change]
) -> Iterator[tuple[Address, str]]:
    live, goal = request.live, request.goal
    through = (
        Address("subscription", (replication.subscription,))
        if receives
        else Address("publication", (replication.publication,))
    )
    if through not in live:
        return  # it is declared, and not set up
    tables = replication.tables if receives else _published(live, replication)
    at_first = States(live, goal, live, tables, lists_of(tables))
    touched = intents(at_first, changes)
    renames = request.renamed.names if request.renamed else ()
    recipes = Recipes(replication.target.database, replication.source.database)
    refused = refusals(at_first, changes, touched, renames, recipes)
    if not touched and not refused:
        return
    partner = replication.source if receives else replication.target
    try:
        with open_side(partner) as side:
            there = _read(side)
            late = receives and not _drained(side, replication)
    except (NovaopsError, psycopg.Error) as error:
        why = error.message if isinstance(error, NovaopsError) else str(error).splitlines()[0]
        for address in dict.fromkeys([i.address for i in touched] or [min(changes)]):
            yield address, f"{partner.database} could not be looked at, and may stop: {why}"
        return
    if receives:
        yield from _here(replication, goal, there, changes, touched, late=late)
    else:
        yield from _there(replication, live, goal, there, tables, touched)
    for refusal in refused:
        about = _about(refusal, changes, goal, renames, there)
        if about is not None:
            text = (
                f"rows of {replication.name} would not be taken any more ({refusal.why}): {refusal.instead}"
            )
            yield about, text


def _there(
    replication: Replication,
    live: Snapshot,
    goal: Snapshot,
    there: Snapshot,
    tables: Sequence[ReplicatedTable],
    touched: Sequence[Intent],
) -> Iterator[tuple[Address, str]]:
    """What the target does not take of the rows that will be sent."""
    to = replication.target.database
    states = States(live, goal, there, tuple(tables), lists_of(tables))
    for intent in touched:
        if Address("subscription", (replication.subscription,)) not in there:
            return
        if not _takes(states, intent):
            why = _why(intent, goal.objects.get(intent.address), there.objects.get(intent.address), to)
            yield (
                intent.address,
                f"{why}, and would stop at such a row: {command_line('replicate apply', '--to', to)} changes both",
            )


def _here(
    replication: Replication,
    goal: Snapshot,
    there: Snapshot,
    changes: Mapping[Address, Change],
    touched: Sequence[Intent],
    *,
    late: bool,
) -> Iterator[tuple[Address, str]]:
    """What this database will not take of the rows that are sent, or are still under way."""
    source, to = replication.source.database, replication.target.database
    tables = _published(there, replication)
    states = States(there, there, goal, tables, lists_of(tables))
    again = command_line("replicate apply", "--from", source, "--to", to, "--database", source)
    both = f"{again} changes both"
    for intent in touched:
        whole = replace(intent, attributes=tuple(sorted({*SHAPE, *intent.attributes})))
        if not _takes(states, whole):
            yield (
                intent.address,
                f"{source} sends what would not be taken here, and the worker would stop: {both}",
            )
        elif late and isinstance(changes.get(intent.address), Drop):
            yield (
                intent.address,
                f"rows that {source} has sent in the old shape are still under way: plan again",
            )


def _takes(states: States, intent: Intent) -> bool:
    """Whether the target has nothing to be relaxed for it."""
    wanted = tolerant(states, [intent])
    same = wanted.objects.keys() == states.target.objects.keys()
    return same and all(obj.attributes == states.target[a].attributes for a, obj in wanted.objects.items())


def _why(intent: Intent, new: Object | None, there: Object | None, to: str) -> str:
    if there is None:
        return f"{to} has no such {registry()[new.kind].name}" if new else f"{to} lacks it"
    if intent.address.type == "table column":
        if new is None:
            return f"{to} wants a value for it"
        if new["type"] != there["type"]:
            return f"in {to} it is {there['type']}"
        return f"{to} takes no NULL for it"
    return f"{to} still refuses what it allows" if intent.address.type != "type" else f"{to} lacks its labels"


def _published(snapshot: Snapshot, replication: Replication) -> tuple[ReplicatedTable, ...]:
    """The declared tables that the publication sends, with the lists of columns that it has."""
    found = []
    for table in replication.tables:
        address = Address("publication relation", (table.schema, table.name), (replication.publication,))
        relation = snapshot.objects.get(address)
        if relation is None:
            continue
        names = None
        if relation["columns"] is not None:
            columns = snapshot.children.get(Address("table", (table.schema, table.name)), ())
            names = tuple(o.name for o in columns if quote_ident(o.name) in relation["columns"])
        found.append(replace(table, columns=names))
    return tuple(found)


def _read(side: Side) -> Snapshot:
    with side.connection.transaction():
        side.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return read(side.connection, list(registry().values()))


def _drained(source: Side, replication: Replication) -> bool:
    """Whether everything that the source had written a moment ago is confirmed; nothing is written for that."""
    row = source.connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
    slot = slots(source.connection).get(replication.slot)
    return row is not None and slot is not None and not slot.behind


def _about(
    refusal: Refusal,
    changes: Mapping[Address, Change],
    goal: Snapshot,
    renames: Sequence[NewName],
    there: Snapshot,
) -> Address | None:
    """The object that a refusal is about; None where the other side has it already as it will be here."""
    for change in changes.values():
        obj = change.old if isinstance(change, Drop) else change.new
        if obj.identity == refusal.object:
            one, other = there.objects.get(change.address), goal.objects.get(change.address)
            alike = one is not None and other is not None and one.attributes == other.attributes
            return None if alike else change.address
    for each in renames:
        if each.present.identity == refusal.object:
            done = each.part is None and each.declared.address in there
            return None if done else each.present.address
    return None


def _shown(address: Address, changes: Mapping[Address, Change]) -> Address:
    """The change that is shown: that of a NOT NULL, where this is an object, stands for its column's."""
    if address in changes:
        return address
    for each in changes.values():
        obj = each.old if isinstance(each, Drop) else each.new
        if obj.parent == address:
            return each.address
    return address


def _object(address: Address, request: Request) -> Object | None:
    return request.live.objects.get(address) or request.goal.objects.get(address)
