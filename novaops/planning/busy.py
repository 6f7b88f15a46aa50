"""Which tables hold rows, so that a change must not keep others from them."""

from __future__ import annotations

from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.planning.draft import Draft
from novaops.planning.live_data import ask
from novaops.planning.nodes import kind_of


def busy_relations(made: Draft, connection: psycopg.Connection[Any]) -> frozenset[Address]:
    """The relations with rows among those that the draft touches; one that cannot be asked counts."""
    live, desired = made.scene.live, made.scene.desired
    touched: dict[Address, str] = {}
    for address in made.changes:
        obj = live.objects.get(address) or desired[address]
        *_, root = obj, *(live if address in live else desired).ancestors(obj)
        if root.address in live and kind_of(root).rows:
            touched[root.address] = live[root.address].identity
    return frozenset(a for a, identity in touched.items() if _has_rows(connection, identity))


def _has_rows(connection: psycopg.Connection[Any], identity: str) -> bool:
    row = ask(connection, f"SELECT EXISTS (SELECT FROM {identity})")
    return row is None or bool(row[0])
