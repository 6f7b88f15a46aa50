"""Tables of other migration tools are told from tables that only have their names."""

from __future__ import annotations

import pytest

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.ignore import section_name
from novaops.planning.ledgers import LEDGERS, Ledger, ignoring, ledger


def table(name: str, columns: frozenset[str], schema: str = "public") -> Snapshot:
    address = Address("table", (schema, name))
    parts = [
        Object(Address("table column", (schema, name, c)), "column", c, schema, c, {}, parent=address)
        for c in columns
    ]
    whole = Object(address, "table", f"{schema}.{name}", schema, name, {})
    return Snapshot({each.address: each for each in (whole, *parts)})


def the_table(snapshot: Snapshot) -> Object:
    return next(obj for obj in snapshot if obj.kind == "table")


@pytest.mark.parametrize("known", LEDGERS, ids=lambda known: f"{known.tool} {known.table}")
def test_a_ledger_is_known_by_its_name_and_columns(known: Ledger) -> None:
    found = table(known.table, known.columns | {"another"})
    assert ledger(the_table(found), found) == known
    other_name = table(f"{known.table}_", known.columns)
    assert ledger(the_table(other_name), other_name) is None
    without = table(known.table, frozenset({"another"}))
    assert ledger(the_table(without), without) is None


def test_the_lines_for_the_ignore_file_name_the_schema_where_it_is_not_public() -> None:
    found = table("schema_migrations", frozenset({"version"}), "app")
    assert list(ignoring([the_table(found).address], found)) == [
        f"[{section_name('table')}]",
        'patterns = ["app.schema_migrations"]',
    ]
