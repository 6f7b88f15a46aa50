"""A guess at the order in which statements succeed, from the names that stand in them.

Only attempts are saved by it: whatever fails is tried again, in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from novaops.desired.attempt import Task
from novaops.desired.lexer import folded
from novaops.desired.names import Declared, declared
from novaops.desired.split import Statement


def likely_order(tasks: Sequence[Task]) -> list[Task]:
    """The tasks, each after those that seem to make what it names; as they come where that says nothing."""
    makers: dict[str, list[tuple[int, Declared]]] = {}
    for index, task in enumerate(tasks):
        if (made := declared(task.statement)) is not None:
            makers.setdefault(made.names[-1], []).append((index, made))
    ordered: dict[int, Task] = {}
    entered: set[int] = set()
    for root in range(len(tasks)):
        todo = [root]
        while todo:
            index = todo[-1]
            if index not in entered:
                entered.add(index)
                todo += sorted(_makers(tasks[index].statement, makers) - entered, reverse=True)
            else:
                todo.pop()
                ordered.setdefault(index, tasks[index])
    return list(ordered.values())


def _makers(statement: Statement, makers: dict[str, list[tuple[int, Declared]]]) -> set[int]:
    """Which of the makers make a name that stands in the statement."""
    return {
        index
        for qualifier, name in _names(statement)
        for index, made in makers.get(name, ())
        if qualifier is None or made.names[:-1] in ((), (qualifier,))
    }


def _names(statement: Statement) -> Iterator[tuple[str | None, str]]:
    """All identifiers, and keywords with them, each with the one that qualifies it."""
    qualifier, before = None, ""
    for token, word in statement.tokens():
        if token.kind in ("word", "quoted"):
            name = folded(word)
            yield (qualifier if before == "." else None), name
            qualifier = name
        before = word
