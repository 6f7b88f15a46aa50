"""Orders nodes of any directed graph: strongly connected components and a topological sort."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Set
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

N = TypeVar("N", bound=Hashable)


def topological(after: Mapping[N, Set[N]], key: Callable[[N], Any]) -> list[N]:
    """Return the nodes, each behind those that it waits for; of several that could be next the smallest by `key`.

    `after` maps every node to those that it waits for, and has no cycle.
    """
    waiting = {node: len(firsts) for node, firsts in after.items()}
    followers: dict[N, list[N]] = {}
    for node, firsts in after.items():
        for first in firsts:
            followers.setdefault(first, []).append(node)
    ready = [(key(node), node) for node, count in waiting.items() if not count]
    heapify(ready)
    done: list[N] = []
    while ready:
        node = heappop(ready)[1]
        done.append(node)
        for follower in followers.get(node, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                heappush(ready, (key(follower), follower))
    return done


def components(after: Mapping[N, Set[N]]) -> list[set[N]]:
    """Return the strongly connected components, each after all that it waits for.

    `after` maps every node to those that it waits for. This is Tarjan's algorithm, without recursion.
    """
    index: dict[N, int] = {}
    low: dict[N, int] = {}
    stack: list[N] = []
    on_stack: set[N] = set()
    found: list[set[N]] = []
    for root in after:
        if root in index:
            continue
        work: list[tuple[N, Iterator[N]]] = [(root, iter(after[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for following in rest:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    on_stack.add(following)
                    work.append((following, iter(after[following])))
                    break
                if following in on_stack:
                    low[node] = min(low[node], index[following])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = set()
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.add(member)
                        if member == node:
                            break
                    found.append(component)
    return found
