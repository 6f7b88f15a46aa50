"""Identity of columns (`pg_attribute.attidentity`) and the sequence behind it; not a kind itself."""

from __future__ import annotations

from dataclasses import replace

from novaops.catalog.object import Object
from novaops.db.identifiers import object_name, quote_ident, quote_literal, quote_qualified, suffixed
from novaops.db.sequence_options import catch_up, changed_clauses, clauses, moved
from novaops.kinds.concurrently import NEW
from novaops.kinds.inheritance import newly_made, origin
from novaops.kinds.kind import Phase, Scene, Step
from novaops.kinds.sequence_takeover import takeover
from novaops.kinds.work import rewrite

IDENTITY = {"a": "ALWAYS", "d": "BY DEFAULT"}


def identity(obj: Object) -> str:
    """`GENERATED … AS IDENTITY (…)` of the column, with the options that are not defaults."""
    options = clauses(obj["identity_options"])
    if obj["identity_sequence"] != object_name(obj["_relation_name"], obj.address.names[-1], "seq"):
        options.insert(0, f"SEQUENCE NAME {obj['_identity_identity']}")
    if obj["identity_persistence"]:
        options.append("LOGGED" if obj["identity_persistence"] == "p" else "UNLOGGED")
    text = f"GENERATED {IDENTITY[obj['identity_generation']]} AS IDENTITY"
    return f"{text} ({' '.join(options)})" if options else text


def identity_steps(old: Object, new: Object, scene: Scene) -> list[Step]:
    """What gives the column an identity, takes it away or changes its sequence."""
    before, after = old["identity_options"], new["identity_options"]
    if before is None and after is None:
        return []
    if before is None:
        # The column is NOT NULL and without default when what it contains is as it will be.
        added, taken = _alter(new, f"ADD {identity(new)}"), takeover(new, scene)
        steps = [*taken.set_aside(), added, *taken.continued()] if taken else [added, _caught_up(new)]
        return [Step(step.sql, phase=Phase.FINISH) for step in steps]
    if after is None:
        # A sequence of the same name may be created.
        taken = takeover(new, scene)
        dropped = [*(taken.remembered() if taken else ()), _alter(new, "DROP IDENTITY")]
        return [Step(step.sql, phase=Phase.RELEASE) for step in dropped]
    start, new_start, sequence = old["_identity_start"], new["_identity_start"], old["_identity_identity"]
    steps = [Step(sql) for sql in moved(sequence, before, after, start, new_start)]
    clauses = changed_clauses(before, after, start, new_start)
    if old["identity_generation"] != new["identity_generation"]:
        clauses.insert(0, f"GENERATED {IDENTITY[new['identity_generation']]}")
    if clauses:
        steps.append(_alter(new, " ".join(f"SET {clause}" for clause in clauses)))
    if old["identity_persistence"] != new["identity_persistence"]:
        logged = (new["identity_persistence"] or new["_persistence"]) == "p"
        steps.append(Step(f"ALTER SEQUENCE {sequence} SET {'LOGGED' if logged else 'UNLOGGED'}"))
    if old["identity_sequence"] != new["identity_sequence"]:
        steps.append(Step(f"ALTER SEQUENCE {sequence} RENAME TO {quote_ident(new['identity_sequence'])}"))
    return steps


def beside_heirs(obj: Object, scene: Scene) -> bool:
    """Whether it comes to a table that has children, to which PostgreSQL adds no column with an identity.

    See ATExecAddColumn() in src/backend/commands/tablecmds.c; since PostgreSQL 17 partitions have the
    identity of their parent.
    """
    if obj["identity_options"] is None or newly_made(obj, scene) or obj.parent is None:
        return False
    if scene.desired[obj.parent]["_partitioned"] and scene.version >= 170000:
        return False
    namesakes = scene.desired.namesakes.get((obj.address.type, obj.name), ())
    heirs = (scene.desired[a] for a in namesakes if origin(scene.desired[a]) == obj.address)
    return any(not newly_made(heir, scene) for heir in heirs)


def unnumbered(obj: Object) -> Object:
    """The column without its identity."""
    return replace(obj, attributes={**obj.attributes, "identity_options": None})


def added_beside_heirs(obj: Object, definition: str | None, scene: Scene) -> list[Step]:
    """The column by its `definition` without identity, which the table, but not its children, then gets.

    Rows that are there, the children's too, are numbered by a sequence of the plan's own.
    """
    table, column = obj["_relation"], obj["_quoted"]
    added = Step(f"ALTER TABLE {table} ADD COLUMN {definition}")
    numbered = [Step(f"ALTER TABLE ONLY {table} ALTER COLUMN {column} ADD {identity(obj)}"), _caught_up(obj)]
    if not scene.online(obj):
        return [added, *numbered]
    name = suffixed(object_name(obj["_relation_name"], obj.name, "seq"), NEW)
    sequence = quote_qualified(obj.address.names[0], name)
    default = f"DEFAULT nextval({quote_literal(sequence)})"
    return [
        Step(f"CREATE SEQUENCE {sequence}"),
        replace(added, sql=f"{added.sql} {default}", work=(rewrite(table),)),
        _alter(obj, "DROP DEFAULT"),
        Step(f"DROP SEQUENCE {sequence}"),
        *numbered,
    ]


def _caught_up(obj: Object) -> Step:
    start, increment = obj["_identity_start"], obj["identity_options"].get("increment", 1)
    return Step(catch_up(obj["_identity_identity"], obj["_relation"], obj["_quoted"], start, increment))


def _alter(obj: Object, clause: str) -> Step:
    return Step(f"ALTER TABLE {obj['_relation']} ALTER COLUMN {obj['_quoted']} {clause}")
