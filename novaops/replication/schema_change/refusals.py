"""Changes that no order of steps takes both sides through while rows flow, each with the way that works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.desired.renamed import NewName
from novaops.invocation import command_line
from novaops.kinds.type_change import readable
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.replication.schema_change.edit import GOES_ALONG, LEFT
from novaops.replication.schema_change.intents import Intent
from novaops.replication.schema_change.tables import KEY, NOT_NULL, States, columns_of, restrains, table_of

NOT_NULL_IS_A_CONSTRAINT = 180000
"""From this version on NOT NULL is an object of its own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What cannot be done, why, and how it can be had."""

    object: str
    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class Recipes:
    """The ways around, for one replication."""

    to: str
    source: str

    @property
    def anew(self) -> str:
        return (
            f"{command_line('replicate teardown', '--to', self.to)}; apply the files on both databases; then "
            f"{command_line('replicate', '--to', self.to)}, which copies only what differs"
        )

    def beside(self, column: Object) -> str:
        return (
            f"add a new column beside {column.identity}, fill it by UPDATE on {self.source}, let applications use it, "
            "and drop the old one in a later change"
        )


def refusals(
    states: States,
    changes: Mapping[Address, Change],
    wanted: Sequence[Intent],
    renames: Sequence[NewName],
    recipes: Recipes,
    *,
    both_ways: bool = False,
) -> list[Refusal]:
    """All that is in the way of a change."""
    found = [
        *_renamed(states, renames, recipes),
        *(
            refusal
            for change in changes.values()
            if not _of_a_partition(states, change, changes)
            for refusal in _change(states, change, recipes)
        ),
        *(refusal for intent in wanted for refusal in _intent(states, intent, recipes)),
    ]
    if both_ways:
        found += [refusal for intent in wanted for refusal in _two_ways(states, intent, recipes)]
        found += _at_once(states, wanted)
    if wanted and _versions_differ(states):
        found.append(
            Refusal(
                "NOT NULL",
                "one side is PostgreSQL 18 or later, where NOT NULL is a constraint with a name, the other one is not",
                recipes.anew,
            )
        )
    return list(dict.fromkeys(found))


def _renamed(states: States, renames: Sequence[NewName], recipes: Recipes) -> Iterator[Refusal]:
    types = states.types(states.before)
    schemas = {schema for schema, _ in states.roots}
    for each in renames:
        obj = each.present
        table = obj.kind == "table" and obj.address.names in states.roots
        schema = obj.address.type == "schema" and obj.name in schemas
        if obj.kind == "column" and states.replicated(obj.address):
            yield Refusal(obj.identity, "rows are sent by the names of their columns", recipes.beside(obj))
        elif table or schema or (obj.address in types and each.part):
            why = "labels are sent as text" if each.part else "rows are sent by the name of their table"
            yield Refusal(obj.identity, why, recipes.anew)


def _of_a_partition(states: States, change: Change, changes: Mapping[Address, Change]) -> bool:
    """Whether it comes, or goes, with a partition."""
    table = table_of(change.old if isinstance(change, Drop) else change.new)
    within = table is not None and table not in states.declared
    return within and isinstance(changes.get(Address("table", table or ())), Create | Drop)


def _change(states: States, change: Change, recipes: Recipes) -> Iterator[Refusal]:
    obj = change.old if isinstance(change, Drop) else change.new
    address = change.address
    if obj.kind == "table" and address.names in states.declared:
        if isinstance(change, Drop | Replace):
            yield Refusal(
                obj.identity,
                "the publication loses a table that is dropped or made anew, without a word",
                f"take it out of novaops.toml; then {command_line('replicate', '--to', recipes.to)}, and "
                f"{command_line('apply')}",
            )
        elif isinstance(change, Alter) and "replica_identity" in change.changed:
            yield Refusal(obj.identity, "the worker finds rows by the replica identity", recipes.anew)
    elif table_of(obj) in states.roots and _changes_key(change, obj):
        yield Refusal(obj.identity, "the worker finds rows by this key", recipes.anew)


def _changes_key(change: Change, obj: Object) -> bool:
    if isinstance(change, Alter):
        says = change.changed & {"definition", "type", "replica_identity"}
        return bool(says) and (_is_key(obj) or _is_key(change.old))
    return _is_key(obj)


def _is_key(obj: Object) -> bool:
    primary = obj.kind == "constraint" and obj["type"] == KEY
    return primary or bool(obj.attributes.get("replica_identity"))


def _intent(states: States, intent: Intent, recipes: Recipes) -> Iterator[Refusal]:
    address = intent.address
    old, new = states.before.objects.get(address), states.after.objects.get(address)
    there = states.target.objects.get(address)
    if address.type == "type":
        kinds = {o.kind for o in (old, new, there) if o is not None}
        if kinds - {"enum"} and old is not None and new is not None and kinds - {"domain"}:
            yield Refusal(new.identity, "it becomes another kind of type", recipes.anew)
        return
    if address.type != "table column" or there is None:
        return
    if new is None or (new["generated"] and not there["generated"]):
        yield from _in_use(states.target, there, recipes)
    elif there["generated"] and not new["generated"] and there["generated"] != "s":
        yield Refusal(
            there.identity, f"in {recipes.to} it is computed, and cannot be made plain", recipes.beside(there)
        )
    elif "type" in intent.attributes and not _both_fit(old, new, there):
        yield Refusal(
            new.identity,
            f"{there['type']} of {recipes.to} and {new['type']} do not read each other's text with the same meaning",
            recipes.beside(new),
        )


def _both_fit(old: Object | None, new: Object, there: Object) -> bool:
    """Whether one of the two types takes what is sent now and what will be."""
    if readable(there, new):
        return old is None or readable(old, new)
    return readable(new, there) and (old is None or readable(old, there))


def _in_use(target: Snapshot, column: Object, recipes: Recipes) -> Iterator[Refusal]:
    for edge in target.dependents.get(column.address, ()):
        user = target[edge.dependent]
        inside = user.address.type in GOES_ALONG or user.parent == column.address
        if user.kind == "column" and user.facts.get("inherited_from"):
            continue  # of a partition
        if (
            user.address.type == "sequence"
            or inside
            or user.address.type in LEFT - {"trigger", "rule", "policy"}
        ):
            continue
        yield Refusal(
            column.identity,
            f"{user.kind} {user.identity} of {recipes.to} uses it",
            f"change that first, by an apply to {recipes.to} of files that do without it",
        )


def _two_ways(states: States, intent: Intent, recipes: Recipes) -> Iterator[Refusal]:
    """Where rows come from both sides, neither may refuse what the other one can still write."""
    address = intent.address
    old, new = states.before.objects.get(address), states.after.objects.get(address)
    there = states.target.objects.get(address)
    if new is None:
        return
    stricter = False
    if address.type == "table column" and there is not None and old is not None:
        stricter = "type" in intent.attributes and not readable(there, new)
        gains = "not_null" in intent.attributes and _not_null(states.after, new)
        stricter = stricter or gains or bool(new["generated"]) != bool(there["generated"])
    elif address.type in ("table constraint", "index", "domain constraint"):
        about = columns_of(new)
        stricter = restrains(new) and not (about and all(column not in states.before for column in about))
    if stricter:
        yield Refusal(
            new.identity,
            "rows come from both sides, and what one of them refuses the other one may still write",
            f"stop all writers of both databases; {recipes.anew}",
        )


def _at_once(states: States, wanted: Sequence[Intent]) -> Iterator[Refusal]:
    """While a column goes, the target sends by a list, and what is added or changed meanwhile would be missing in it."""
    columns = [i.address for i in wanted if i.address.type == "table column" and i.address in states.target]
    gone = {states.roots[c.names[0], c.names[1]] for c in columns if c not in states.after}
    for intent in wanted:
        column = intent.address
        if column.type != "table column" or column not in states.after:
            continue
        added = column not in states.target
        if (added or "type" in intent.attributes) and states.roots[column.names[0], column.names[1]] in gone:
            yield Refusal(
                states.after[column].identity,
                "rows come from both sides, and another column of the table goes at the same time",
                "leave the column that goes in the files at first, and drop it by a change of its own",
            )


def _not_null(snapshot: Snapshot, column: Object) -> bool:
    children = snapshot.children.get(column.address, ())
    return bool(column["not_null"]) or any(c.attributes.get("type") == NOT_NULL for c in children)


def _versions_differ(states: States) -> bool:
    versions = {states.after.version or states.before.version, states.target.version}
    return len({version >= NOT_NULL_IS_A_CONSTRAINT for version in versions}) > 1
