"""How rows get from a table into the one that takes its place, where no ALTER leads there; not a kind itself.

The old table is renamed aside with all that has a name in the schema, the new one is made, filled
and only then is the old one dropped: at every moment the rows are in a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_qualified, suffixed
from novaops.db.sequence_options import catch_up
from novaops.kinds.kind import ASIDE, Scene, Step
from novaops.kinds.sequence_takeover import takeover
from novaops.kinds.type_change import using


def set_aside(table: Object, scene: Scene) -> tuple[list[Step], Object]:
    """Steps that rename the table, and the table under its new name."""
    steps = []
    if table["partition_of"]:
        steps.append(Step(f"ALTER TABLE {table['partition_of']} DETACH PARTITION {table.identity}"))
    for keyword, name in sorted(_named(table, scene)):
        qualified = quote_qualified(table.schema or "", name)
        steps.append(Step(f"ALTER {keyword} {qualified} RENAME TO {quote_ident(_aside(name))}"))
    steps.append(Step(f"ALTER TABLE {table.identity} RENAME TO {quote_ident(_aside(table.name))}"))
    identity = _identity_aside(table)
    address = Address("table", (table.address.names[0], _aside(table.name)))
    return steps, replace(table, address=address, identity=identity, name=_aside(table.name))


def fill(old: Object, new: Object, scene: Scene) -> list[Step]:
    """Statements that copy the rows of `old`, set aside, into `new`."""
    pairs = list(_pairs(old, new, scene))
    source = _identity_aside(old) if old["partition_key"] else f"ONLY {_identity_aside(old)}"
    columns = ", ".join(after["_quoted"] for _, after in pairs)
    values = ", ".join(_value(before, after, scene) for before, after in pairs)
    into = f"INSERT INTO {new.identity} ({columns}) OVERRIDING SYSTEM VALUE"
    copied = [Step(f"{into} SELECT {values} FROM {source}")] if pairs else []
    return [
        *_lifted(_identity_aside(old), old, "NO FORCE"),
        *_lifted(new.identity, new, "NO FORCE"),
        *copied,
        *_lifted(new.identity, new, "FORCE"),
        *(step for _, after in pairs for step in _numbered_on(after, new, scene)),
    ]


def _pairs(old: Object, new: Object, scene: Scene) -> Iterator[tuple[Object, Object]]:
    """Columns that both have and that take values, in the order of the new table."""
    before = {c.name: c for c in _columns(scene.live.children.get(old.address, ()))}
    made = _columns(scene.desired.children.get(new.address, ()))
    for after in sorted(made, key=lambda column: column["_position"]):
        if after.name in before and not after["generated"]:
            yield before[after.name], after


def _value(before: Object, after: Object, scene: Scene) -> str:
    types = (edge.referenced for edge in scene.desired.dependencies.get(after.address, ()))
    same = before["type"] == after["type"] and scene.replaced.isdisjoint(t for t in types if t.type == "type")
    name: str = after["_quoted"]
    return name if same else using(before, after, scene) or name


def _columns(children: tuple[Object, ...]) -> Iterator[Object]:
    return (child for child in children if child.address.type == "table column")


def _named(table: Object, scene: Scene) -> Iterator[tuple[str, str]]:
    """What belongs to the table and has a name of its own in the schema: (keyword, name)."""
    for child in scene.live.children.get(table.address, ()):
        yield from _sequence_taken_over(child, scene)
        if child.attributes.get("identity_sequence"):
            yield "SEQUENCE", child["identity_sequence"]
        elif child.address.type == "index" or child.facts.get("index"):
            yield "INDEX", child.name


def _sequence_taken_over(column: Object, scene: Scene) -> Iterator[tuple[str, str]]:
    """The sequence of its default, where one of the same name takes over."""
    after = scene.desired.objects.get(column.address)
    taken = takeover(after, scene) if after is not None and after.kind == "column" else None
    if taken is not None and taken.aside and not taken.from_identity:
        yield "SEQUENCE", taken.before.name


def _lifted(identity: str, table: Object, clause: str) -> list[Step]:
    """Forced row security would hide rows from their owner, and refuse them."""
    forced = table["row_security"] and table["force_row_security"]
    return [Step(f"ALTER TABLE {identity} {clause} ROW LEVEL SECURITY")] if forced else []


def _numbered_on(after: Object, new: Object, scene: Scene) -> Iterator[Step]:
    """Let the sequence of a column continue where the old one stands, or behind the rows where there was none."""
    taken = takeover(after, scene)
    if taken is not None:
        yield from taken.continued()
    elif after["identity_options"] is not None:
        sequence, increment = after["_identity_identity"], after["identity_options"].get("increment", 1)
        yield Step(catch_up(sequence, new.identity, after["_quoted"], after["_identity_start"], increment))
    else:
        for sequence in _new_sequences(after, scene):
            increment = sequence["options"].get("increment", 1)
            yield Step(
                catch_up(sequence.identity, new.identity, after["_quoted"], sequence["_start"], increment)
            )


def _new_sequences(column: Object, scene: Scene) -> Iterator[Object]:
    for edge in scene.desired.dependents.get(column.address, ()):
        sequence = scene.desired[edge.dependent]
        owner = sequence.facts.get("owner_names")
        if owner and tuple(owner) == column.address.names and scene.creates(sequence.address):
            yield sequence


def _aside(name: str) -> str:
    return suffixed(name, ASIDE)


def _identity_aside(table: Object) -> str:
    return quote_qualified(table.schema or "", _aside(table.name))
