"""Finds what is missing at a commit of the plan although it is there before the plan and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from novaops.catalog.object import Object
from novaops.planning.nodes import Node
from novaops.planning.order import Group
from novaops.planning.rebuilds import Rebuild
from novaops.planning.statements import Written


@dataclass(frozen=True, slots=True)
class Gap:
    """An object that is missing after some commit of the plan.

    `taken` and `given` are the numbers, from 0, of the statements that take it away and give it back.
    """

    object: Object
    taken: int
    given: int


def gaps(
    groups: Sequence[tuple[Group, Sequence[Written]]],
    numbers: Sequence[int | None],
    rebuilds: Sequence[Rebuild],
) -> tuple[Gap, ...]:
    """Return the gaps of a plan whose statements run in the transactions `numbers` (None: outside of any)."""
    statements: dict[Node, range] = {}
    count = 0
    for group, written in groups:
        of_group = range(count, count + len(written))
        count = of_group.stop
        statements.update(dict.fromkeys((group.head, *group.members), of_group))
    found = []
    for rebuild in rebuilds:
        taken = [n for node in rebuild.taking for n in statements.get(node, ())]
        given = [n for node in rebuild.giving for n in statements.get(node, ())]
        if taken and given and _committed_between(numbers[min(taken) : max(given) + 1]):
            found.append(Gap(rebuild.object, min(taken), max(given)))
    return tuple(found)


def _committed_between(numbers: Sequence[int | None]) -> bool:
    """Whether the statements do not all run in one transaction; one outside of any commits by itself."""
    return len(numbers) > 1 and (None in numbers or len(set(numbers)) > 1)
