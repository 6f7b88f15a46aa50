"""Find the objects that are missing between two statements of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.kinds.kind import Scene, Step
from novaops.planning.changes import Alter, Change, Replace
from novaops.planning.nodes import Act, kind_of
from novaops.planning.order import Group
from novaops.planning.origin import state
from novaops.planning.plan import Missing


class Recorded(Protocol):
    """A statement of a plan or of the journal."""

    @property
    def drops(self) -> Sequence[Missing]: ...

    @property
    def restores(self) -> Sequence[str]: ...


def absences(
    group: Group, steps: Sequence[Step], changes: Mapping[Address, Change], scene: Scene
) -> tuple[tuple[Missing, ...], tuple[str, ...]]:
    """Return what the statements of a group drop although the plan creates it again, and what they restore."""
    drops: list[Missing] = []
    restores: list[str] = []
    for node in dict.fromkeys((group.head, *group.members, *group.circle)):
        match node.act, changes[node.address]:
            case ((Act.DROP | Act.ASIDE | Act.RELEASE), Replace(old, new)):
                drops.append(_missing(old, new, _container(old, changes, scene)))
            case ((Act.CREATE | Act.FINISH), Replace(new=new)):
                restores.append(name(new))
            case (Act.RELEASE | Act.ALTER | Act.FINISH) as act, Alter(old, new):
                drops += [_taken(old, new, step.exposes) for step in steps if step.exposes is not None]
                if act is not Act.RELEASE:
                    restores.append(name(new))
    return tuple(drops), tuple(restores)


def name(obj: Object) -> str:
    """Return the name by which `Missing.name` knows an object."""
    return f"{kind_of(obj).name} {obj.identity}"


def missing_after(
    before: Iterable[Missing], statements: Sequence[Recorded], done: Sequence[bool]
) -> tuple[Missing, ...]:
    """Return what is missing when only the statements marked as done have run.

    `before` was missing when the first of them ran. Objects that no statement restores are left out: they are not
    to exist any more.
    """
    dropped = {m.name: m for m in before}
    restored: set[str] = set()
    for statement, ran in zip(statements, done, strict=True):
        if ran:
            dropped.update({m.name: m for m in statement.drops})
        else:
            restored.update(statement.restores)
    return tuple(m for m in dropped.values() if m.name in restored)


def outermost(missing: Sequence[Missing]) -> list[Missing]:
    """Return the objects without those that are part of another one that is missing."""
    names = {m.name for m in missing}
    return [m for m in missing if m.part_of not in names]


def _missing(old: Object, new: Object, container: Object | None) -> Missing:
    states = (state(old)[0], state(new)[0])
    part_of = name(container) if container is not None else None
    return Missing(kind_of(old).name, old.identity, kind_of(old).missing(old), False, part_of, states)


def _taken(old: Object, new: Object, exposes: str) -> Missing:
    return Missing(kind_of(old).name, old.identity, exposes, True, None, (state(old)[0], state(new)[0]))


def _container(obj: Object, changes: Mapping[Address, Change], scene: Scene) -> Object | None:
    """Return the closest container that the plan drops and creates again as well."""
    rebuilt = (o for o in scene.live.ancestors(obj) if isinstance(changes.get(o.address), Replace))
    return next(rebuilt, None)
