"""Renames that the files declare, with the objects that have the new names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.desired.annotations import Annotation
from novaops.desired.names import declared
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic, DiagnosticsError, Source
from novaops.kinds import registry


@dataclass(frozen=True, slots=True)
class Rename:
    """An object of the declared state and its earlier name, after that of its schema where it moved.

    `part` is the label or attribute within the object that is meant, None for the object itself; `at` the
    place that says so, for whoever finds fault with it.
    """

    address: Address
    before: tuple[str, ...]
    at: Diagnostic
    part: str | None = None

    def wrong(self, message: str, hint: str | None = None) -> Diagnostic:
        """A finding about what is declared here."""
        return replace(self.at, message=message, hint=hint)


def annotated(
    found: Sequence[Annotation], snapshot: Snapshot, sources: Mapping[Address, Source]
) -> list[Rename]:
    """The objects that annotations are about; raises `DiagnosticsError` where there is none."""
    made: dict[Source, list[Address]] = {}
    for address, source in sources.items():
        made.setdefault(source, []).append(address)
    renames: list[Rename] = []
    problems: list[Diagnostic] = []
    for annotation in found:
        try:
            renames.append(_rename(annotation, snapshot, made))
        except _NothingError as error:
            message = f"“renamed from” refers to nothing: {error}"
            problems.append(replace(annotation.at, message=message, hint=error.hint))
    if problems:
        raise DiagnosticsError(problems)
    return renames


class _NothingError(Exception):
    """Why no object is meant."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def _rename(annotation: Annotation, snapshot: Snapshot, made: Mapping[Source, Sequence[Address]]) -> Rename:
    statement, item = annotation.statement, annotation.item
    own = [snapshot[a] for a in made.get(statement.source, ())]
    if item is None:
        obj = _made_by(statement, own, snapshot)
        return Rename(obj.address, annotation.before, annotation.at)
    if item.name is None:
        raise _NothingError("what it stands by has no name", "give it one: CONSTRAINT name …")
    placed = [snapshot[a] for a in made.get(statement.file.source(item.start), ())]
    contained = [o for o in (*placed, *own) if _is(o, item.what, item.name)]
    if contained:
        return Rename(_not_inherited(contained).address, annotation.before, annotation.at)
    whole = [o for o in own if item.name in registry()[o.kind].parts(o)]
    if len(whole) != 1:
        raise _NothingError(f"there is no {item.what} {item.name} in the end")
    if len(annotation.before) > 1:
        raise _NothingError(f"a {item.what} has no schema of its own")
    return Rename(whole[0].address, annotation.before, annotation.at, part=item.name)


def _is(obj: Object, what: str, name: str) -> bool:
    return obj.address.type.endswith(what) and obj.name == name


def _not_inherited(found: Sequence[Object]) -> Object:
    """What was declared, and not what children got along with it."""
    return next((o for o in found if not o.facts.get("inherited_from")), found[0])


def _made_by(statement: Statement, own: Sequence[Object], snapshot: Snapshot) -> Object:
    """What a statement makes that has a name, and not what comes along with it."""
    name = declared(statement)
    # Some ALTERs write all that tells where an object was made anew.
    own = own or [
        o for o in snapshot if name is not None and o.name == name.names[-1] and _is_a(o, name.kind)
    ]
    inside = {o.address for o in own}
    outermost = [
        o
        for o in own
        if registry()[o.kind].renames and not any(c.address in inside for c in snapshot.ancestors(o))
    ]
    named = [o for o in outermost if name is not None and o.name == name.names[-1]]
    of_kind = [o for o in named if name is not None and _is_a(o, name.kind)]
    candidates = of_kind or named or outermost
    if len(candidates) != 1:
        what = " ".join(statement.words[:2])
        raise _NothingError(f"{what} makes {'several things' if candidates else 'nothing that has a name'}")
    return candidates[0]


def _is_a(obj: Object, keyword: str) -> bool:
    return keyword in registry()[obj.kind].keyword(obj).split()
