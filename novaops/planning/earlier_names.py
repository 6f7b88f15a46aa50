"""Which of the declared renames are still to be done in the live database.

The address that an object has there follows from what is renamed around it, its schema, its table and
the types of its arguments. So these come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from novaops.catalog.address import Address
from novaops.catalog.naming import address, place
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_qualified
from novaops.desired.renames import Rename
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.planning.nodes import kind_of

Key = tuple[Address, str | None]
"""An object, or a part of it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An object of the declared state that has another name, and maybe schema, in the live database.

    `part` is the label or attribute within it that has.
    """

    rename: Rename
    obj: Object
    schema: str | None
    name: str

    @property
    def part(self) -> str | None:
        return self.rename.part


Excluded = Callable[[Object, Snapshot], bool]
"""Whether an object is out of reach (`Scope.excluded`)."""


def pending(
    live: Snapshot, desired: Snapshot, declared: Sequence[Rename], excluded: Excluded
) -> tuple[list[Pending], list[str]]:
    """The renames to do, and notices; raises `DiagnosticsError` where the live database contradicts them."""
    work = _Work(live, desired, excluded)
    for stage in _stages(declared, desired):
        work.decide(stage)
    if work.problems:
        raise DiagnosticsError(sorted(work.problems, key=lambda d: d.source))
    return work.found, work.notices


def depth(obj: Object) -> int:
    """How many of schemas, relations and types, and what is within these, are addressed before it."""
    if obj.address.type == "schema":
        return 0
    if obj.parent is not None:
        return 3
    return 2 if obj.address.args else 1


def _stages(declared: Iterable[Rename], desired: Snapshot) -> Iterator[list[Rename]]:
    stages: dict[int, list[Rename]] = {}
    for rename in declared:
        stage = 4 if rename.part is not None else depth(desired[rename.address])
        stages.setdefault(stage, []).append(rename)
    return (stages[stage] for stage in sorted(stages))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A rename with the addresses before and after it in the live database."""

    rename: Rename
    obj: Object
    before: Key
    after: Key
    schema: str | None
    name: str


@dataclass(slots=True)
class _Work:
    live: Snapshot
    desired: Snapshot
    excluded: Excluded
    found: list[Pending] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    schemas: dict[str, str] = field(default_factory=dict)
    relations: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def decide(self, stage: Sequence[Rename]) -> None:
        """Find those of one stage that are to be done, and remember where what they rename is."""
        candidates = [self._candidate(rename) for rename in stage]
        candidates = [c for c in candidates if self._exists(c.before)]
        by_before: dict[Key, _Candidate] = {}
        for candidate in candidates:
            other = by_before.setdefault(candidate.before, candidate)
            if other.obj is not candidate.obj:
                message = f"{_shown(candidate.before)} is to become {other.obj.identity} already"
                self.problems.append(candidate.rename.wrong(message, "one object has one new name"))
        decided: dict[Key, bool] = {}
        for candidate in candidates:
            if self.excluded(self.live[candidate.before[0]], self.live):
                message = f"{_shown(candidate.before)} is ignored by .pgschemaignore, and not renamed"
                self.problems.append(
                    candidate.rename.wrong(message, "remove the rename, or do not ignore it")
                )
            elif self._is_pending(candidate, by_before, decided, []):
                self._take(candidate)

    def _take(self, candidate: _Candidate) -> None:
        if any(
            p.rename.address == candidate.rename.address and p.part == candidate.rename.part
            for p in self.found
        ):
            return  # one of several earlier names
        obj, before = candidate.obj, candidate.before[0]
        self.found.append(Pending(candidate.rename, obj, candidate.schema, candidate.name))
        if candidate.rename.part is not None:
            return
        if obj.address.type == "schema":
            self.schemas[obj.name] = candidate.name
        elif obj.parent is None:
            self.relations[obj.address.names] = before.names
        self.types = dict(self._types())

    def _types(self) -> Iterator[tuple[str, str]]:
        """Names of types, and of arrays of them, as they are now, by those declared."""
        for obj in self.desired:
            if obj.parent is None and obj.schema is not None and obj.address.type != "schema":
                before = (
                    self.relations.get(obj.address.names) or self._address(obj, place(obj), obj.name).names
                )
                text = before[0] if obj.address.type == "type" else quote_qualified(*before)
                if text != obj.identity:
                    yield obj.identity, text
                    yield f"{obj.identity}[]", f"{text}[]"

    # -- where things are ------------------------------------------------------------------------

    def _candidate(self, rename: Rename) -> _Candidate:
        obj = self.desired[rename.address]
        if rename.part is not None:
            whole = self.relations.get(obj.address.names)
            at = Address(obj.address.type, whole) if whole else self._address(obj, place(obj), obj.name)
            return _Candidate(
                rename, obj, (at, rename.before[-1]), (at, rename.part), obj.schema, rename.before[-1]
            )
        *schemas, name = rename.before
        if schemas and (obj.schema is None or obj.parent is not None or obj.address.type == "schema"):
            self.problems.append(
                rename.wrong(f"{obj.identity} has no schema of its own", "write the old name alone")
            )
        here = place(obj)
        there = (
            tuple(schemas[0] if n == obj.schema else n for n in here) if schemas else self._place(obj, here)
        )
        after = self._address(obj, here, obj.name)
        before = address(obj, there, name, after.args)
        schema = None if obj.schema is None else schemas[0] if schemas else obj.schema
        return _Candidate(rename, obj, (before, None), (after, None), schema, name)

    def _address(self, obj: Object, at: tuple[str, ...], name: str) -> Address:
        args = tuple(self.types.get(arg, arg) for arg in obj.address.args)
        return address(obj, self._place(obj, at), name, args)

    def _place(self, obj: Object, at: tuple[str, ...]) -> tuple[str, ...]:
        """Where in the live database that is which is `at` in the declared one."""
        if obj.parent is not None and len(at) == 1:
            *_, root = self.desired.ancestors(obj)
            if obj.schema in at:  # an index goes where its table goes
                return self.relations.get(root.address.names, self._in_schema(at))[:1]
            return tuple(self.types.get(each, each) for each in at)
        return self.relations.get(at) or self._in_schema(at)

    def _in_schema(self, at: tuple[str, ...]) -> tuple[str, ...]:
        if not self.schemas:
            return at
        return tuple(self.schemas.get(each, each) for each in at)

    def _exists(self, key: Key) -> bool:
        obj = self.live.objects.get(key[0])
        return obj is not None and (key[1] is None or key[1] in kind_of(obj).parts(obj))

    # -- what is to be done ------------------------------------------------------------------------

    def _is_pending(
        self,
        candidate: _Candidate,
        by_before: dict[Key, _Candidate],
        decided: dict[Key, bool],
        above: list[_Candidate],
    ) -> bool:
        if candidate.before in decided:
            return decided[candidate.before]
        if not self._exists(candidate.after):
            answer = True
        elif candidate in above:
            return self._turned(above[above.index(candidate) :])
        else:
            holder = by_before.get(candidate.after)
            gives_way = holder is not None and self._is_pending(
                holder, by_before, decided, [*above, candidate]
            )
            answer = gives_way or self._contradicts(candidate)
        decided[candidate.before] = answer
        return answer

    def _contradicts(self, candidate: _Candidate) -> bool:
        """False; what has its new name has been renamed, unless nothing else is declared for the old one."""
        if not self._declared(candidate):
            before, after = _shown(candidate.before), _shown(candidate.after)
            message = f"{after} is to be renamed from {before}, and both exist"
            hint = f"if {before} is the one to keep, drop {after} first; if not, remove this rename"
            self.problems.append(candidate.rename.wrong(message, hint))
        return False

    def _declared(self, candidate: _Candidate) -> bool:
        obj, name = candidate.obj, candidate.name
        if candidate.rename.part is not None:
            return name in kind_of(obj).parts(obj)
        at = tuple(candidate.schema or "" if n == obj.schema else n for n in place(obj))
        return address(obj, at, name) in self.desired

    def _turned(self, circle: Sequence[_Candidate]) -> bool:
        """Whether objects that exchange names have still the old ones, as far as can be told by what they are."""
        now = sum(self._unlike(c.after, c) for c in circle)
        then = sum(self._unlike(c.before, c) for c in circle)
        names = " and ".join(_shown(c.after) for c in circle)
        if then == now == 0:
            self.notices.append(
                f"{names} are alike: whether they have exchanged their names cannot be told, and they stay as they"
                " are; rename one of them to a third name first, or remove what says that they are renamed"
            )
        elif then == now:
            message = f"whether {names} have exchanged their names cannot be told"
            hint = "rename one of them to a third name first, or remove the rename if it is done"
            self.problems += [c.rename.wrong(message, hint) for c in circle]
        return then < now

    def _unlike(self, key: Key, candidate: _Candidate) -> int:
        """How many differences there are between what has a name now and what is to have it."""
        old, new = self.live[key[0]], candidate.obj
        if key[1] is not None and candidate.rename.part is not None:
            there, here = list(kind_of(old).parts(old)), list(kind_of(new).parts(new))
            return int(there.index(key[1]) != here.index(candidate.rename.part))
        before, after = kind_of(old).likeness(old, self.live), kind_of(new).likeness(new, self.desired)
        return sum(before.get(name) != after.get(name) for name in before.keys() | after.keys())


def _shown(key: Key) -> str:
    names = ".".join(key[0].names)
    return f"{key[0].type} {names}" if key[1] is None else f"“{key[1]}” of {key[0].type} {names}"
