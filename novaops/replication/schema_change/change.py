"""A change of replicated tables on both sides, so that at every moment the target takes what the source can send.

The source is planned from its files like any other database. The target is not: of its replicated tables it gets
what the source's plan changes. What makes it take more comes before the source's plan, what makes it take less
comes when the last row of the old shape has arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from novaops.catalog.address import Address
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.errors import UsageError
from novaops.planning.changes import Change
from novaops.planning.consents import with_reasons
from novaops.planning.diff import diff
from novaops.planning.plan import Plan
from novaops.planning.planner import plan
from novaops.planning.request import Request
from novaops.progress import Reporter
from novaops.project import Options, Project
from novaops.replication.declaration import Replication
from novaops.replication.overlay import overlay, same_place
from novaops.replication.pair import open_pair
from novaops.replication.proof.rows import reader, shape
from novaops.replication.proof.state import as_found
from novaops.replication.schema_change.course import Course, Leg
from novaops.replication.schema_change.goals import tolerant
from novaops.replication.schema_change.intents import Intent, intents
from novaops.replication.schema_change.receiver import PAUSED, TO_COPY, Receiver, to_copy
from novaops.replication.schema_change.refusals import Recipes, Refusal, refusals
from novaops.replication.schema_change.tables import States, lists_of
from novaops.replication.schema_change.watch import watch
from novaops.replication.set_up.journal import left
from novaops.replication.set_up.run import SCHEMA_CHANGE


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The files of a database, and those that have tables of it."""

    source: Project
    receivers: tuple[Receiver, ...]
    reporter: Reporter

    def plan(self, allow: Collection[str] | Mapping[str, str] = ()) -> Course:
        """All that is to be done; reads only. Raises `RefusedError` where rows do not arrive as it is."""
        allowed = with_reasons(allow)
        for receiver in self.receivers:
            receiver.check()
        made, request = self.of_source(allowed)
        changes = diff(request.live, request.goal, request.scope, request.comparison)
        legs, live = [], request.live
        for receiver in self.receivers:
            states = receiver.states(request.live, request.goal, receiver.project.inspect())
            legs.append(self._leg(receiver, states, changes, request, allowed))
            live = without_publication(live, receiver, states)
        if live is not request.live:
            # What is published less by then is not in the way of the source's plan.
            again = plan(replace(request, live=live), self.source.connection)
            made = replace(made, changes=again.changes, statements=again.statements, blocked=again.blocked)
        legs = [
            replace(leg, refusals=(*leg.refusals, *_unpublished(receiver, made)))
            for receiver, leg in zip(self.receivers, legs, strict=True)
        ]
        return Course(made, tuple(legs))

    def of_source(self, allowed: Mapping[str, str]) -> tuple[Plan, Request]:
        """The plan of the source as it is now. Its publications are this change's own affair."""
        own = {
            f"unmanaged-dependant:{name}": "" for receiver in self.receivers for name in _relations(receiver)
        }
        made = self.source.plan({**allowed, **own})
        assert self.source.request is not None  # noqa: S101
        consents = {name: reason for name, reason in made.consents.items() if name not in own}
        return replace(made, consents=consents), self.source.request

    def _leg(
        self,
        receiver: Receiver,
        states: States,
        changes: Mapping[Address, Change],
        request: Request,
        allowed: Mapping[str, str],
    ) -> Leg:
        wanted = merged(receiver.known_intents(), intents(states, changes))
        names = request.renamed.names if request.renamed else ()
        recipes = Recipes(receiver.database, receiver.replication.source.database)
        found = refusals(states, changes, wanted, names, recipes, both_ways=receiver.both_ways)
        found += _binary(receiver, states, wanted)
        copies = tables_to_copy(receiver, states, wanted)
        found += _incomparable(receiver, copies)
        if found:
            nothing = receiver.relaxing(states, (), {})
            return Leg(receiver.replication, tuple(wanted), tuple(found), nothing, nothing)
        relax = receiver.relaxing(states, wanted, allowed)
        opened = replace(states, target=tolerant(states, wanted))
        narrow = receiver.narrowed(states)
        source = receiver.pair.source.connection
        narrowing = [clause_text(t.qualified, t.columns) for t in narrow.tables] if narrow else []
        widen = [clause_text(t.qualified, t.columns) for t in receiver.replication.tables]
        sent = states.published if narrow is None else lists_of(narrow.tables)
        wider = any(sent.get(name) != columns for name, columns in states.declared.items())
        without = [text.as_string(source) for text in receiver.without(states, wanted)]
        pauses = relax.todo or any(made.kind == PAUSED for made in receiver.made)
        return Leg(
            receiver.replication,
            tuple(wanted),
            (),
            relax,
            receiver.restricting(opened, wanted, allowed),
            tuple(narrowing),
            tuple(widen) if wider else (),
            tuple(without),
            receiver.other_way.subscription if receiver.both_ways and pauses else None,
            tuple(copies),
            left(receiver.pair.target.connection, receiver.replication, SCHEMA_CHANGE) is not None,
        )


@contextmanager
def open_change(
    source: Project, chosen: Sequence[Replication], declared: Sequence[Replication]
) -> Iterator[SchemaChange]:
    """Connect to all sides. `source` brings files, options and reporter; its database is that of the replications.

    Raises `UsageError` where these have more than one source.
    """
    first = chosen[0]
    if any(not same_place(each.source, first.source) for each in chosen):
        places = ", ".join(sorted({each.source.database for each in chosen}))
        raise UsageError(
            f"the files are those of one database, and these replications have several sources: {places}",
            hint="choose with --from DATABASE",
        )
    # Of what this change takes care of, nobody has to be warned.
    others = [each for each in declared if each not in chosen]
    with ExitStack() as stack:
        receivers = []
        for each in chosen:
            pair = stack.enter_context(open_pair(each))
            known = as_found(pair, each)
            options = Options(
                scope="database",
                privileges="ignore",
                ignore_file=None,
                shadow=source.options.shadow,
                safe_below=source.options.safe_below,
                journal=source.options.journal,
                overlay=overlay(declared, each.target),
                watch=watch(others, each.target),
            )
            project = Project(each.target.conninfo(), Path("-"), options, source.reporter)
            stack.enter_context(project)
            entries = left(pair.target.connection, known, SCHEMA_CHANGE)
            receivers.append(Receiver(pair, known, project, tuple(entries or ())))
        options = replace(
            source.options, overlay=overlay(declared, first.source), watch=watch(others, first.source)
        )
        ours = Project(first.source.conninfo(), source.file, options, source.reporter)
        stack.enter_context(ours)
        yield SchemaChange(ours, tuple(receivers), source.reporter)


def merged(known: Sequence[Intent], found: Sequence[Intent]) -> list[Intent]:
    """All intents, those on one object as one."""
    attributes: dict[Address, set[str]] = {}
    for intent in (*known, *found):
        attributes.setdefault(intent.address, set()).update(intent.attributes)
    return [Intent(address, tuple(sorted(names))) for address, names in sorted(attributes.items())]


def tables_to_copy(receiver: Receiver, states: States, wanted: Sequence[Intent]) -> list[str]:
    """The tables whose rows have to be brought into line, by their qualified names."""
    known = [m.name for m in receiver.made if m.kind == TO_COPY]
    return list(dict.fromkeys([*known, *(t.qualified for t in to_copy(states, wanted))]))


def clause_text(table: str, columns: Sequence[str] | None) -> str:
    """What is published of a table, for people."""
    return table if columns is None else f"{table} ({', '.join(columns)})"


def without_publication(live: Snapshot, receiver: Receiver, states: States) -> Snapshot:
    """The source as it is when its publication sends less: that needs no column any more that goes."""
    if receiver.narrowed(states) is None:
        return live
    name = receiver.replication.publication

    def in_the_way(dependent: Address, referenced: Address) -> bool:
        ours = dependent.type == "publication relation" and name in dependent.args
        return ours and referenced.type == "table column" and referenced not in states.after

    return replace(live, edges=tuple(e for e in live.edges if not in_the_way(e.dependent, e.referenced)))


def _relations(receiver: Receiver) -> Iterator[str]:
    """The tables of its publication, as PostgreSQL names them there (`pg_identify_object`)."""
    for table in receiver.replication.tables:
        yield f"{table.qualified} in publication {receiver.replication.publication}"


def _binary(receiver: Receiver, states: States, wanted: Sequence[Intent]) -> Iterator[Refusal]:
    """Types that change where values are not sent as text (documentation, CREATE SUBSCRIPTION, `binary`)."""
    name = receiver.replication.subscription
    found = states.target.objects.get(Address("subscription", (name,)))
    if found is not None and found["binary"]:
        for intent in wanted:
            if (
                "type" in intent.attributes
                and intent.address in states.before
                and intent.address in states.after
            ):
                yield Refusal(
                    states.after[intent.address].identity,
                    f"the subscription {name} gets values in binary, and one type does not read another's",
                    f"on {receiver.database}: ALTER SUBSCRIPTION {quote_ident(name)} SET (binary = false)",
                )


def _unpublished(receiver: Receiver, made: Plan) -> Iterator[Refusal]:
    """Tables that leave the publication in one transaction and come back in another: rows in between would be lost."""
    ours = set(_relations(receiver))
    for name in sorted(ours):
        places = {
            s.transaction for s in made.statements if s.kind == "publication relation" and s.object == name
        }
        if len(places) > 1 or None in places:
            yield Refusal(
                name,
                "a column of its list changes its type, and other changes of the files need a transaction in between",
                "leave those in the files as they were at first, a new label of an enumeration above all",
            )


def _incomparable(receiver: Receiver, copies: Sequence[str]) -> list[Refusal]:
    """Tables whose rows cannot be brought into line: without a key, or where either side's may be the right ones."""
    instead = "add the column without the default, fill it by UPDATE, then add the default"
    why = "each side would compute values of its own, and "
    found = []
    tables = [table for table in receiver.replication.tables if table.qualified in copies]
    with reader(receiver.pair.source.endpoint) as source:
        for table in tables:
            if receiver.both_ways:
                found.append(Refusal(table.qualified, f"{why}rows come from both", instead))
            elif not shape(source, table).key:
                found.append(
                    Refusal(table.qualified, f"{why}without a key no row can be brought into line", instead)
                )
    return found
