from __future__ import annotations

import pytest

from novaops.catalog.address import Address
from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Connection, Convert, snapshot
from tests.integration.kinds.converge import converge

SETUP = "CREATE SCHEMA s; CREATE TABLE s.t (a int, b int, c text)"
PLAIN = "CREATE STATISTICS s.x ON a, b FROM s.t"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", 'CREATE STATISTICS "X x" (mcv, ndistinct) ON a, lower(c), (a + b) FROM s.t'),
        ("", PLAIN + "; ALTER STATISTICS s.x SET STATISTICS 7"),
        (PLAIN, "CREATE STATISTICS s.x (dependencies) ON a, b FROM s.t"),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("statistics object", old, new, setup=SETUP)


@pytest.mark.parametrize(("old", "new"), [(-1, 100), (100, 0), (100, -1)])
def test_target(convert: Convert, old: int, new: int) -> None:
    before, after = (f"{PLAIN}; ALTER STATISTICS s.x SET STATISTICS {target}" for target in (old, new))
    statements = convert("statistics object", before, after, setup=SETUP)
    assert statements == [f"ALTER STATISTICS s.x SET STATISTICS {new}"]


@pytest.mark.parametrize("target", [-1, 7])
def test_its_target_is_lost_when_a_column_changes_type(database: Connection, target: int) -> None:
    database.execute(f"{SETUP}; {PLAIN}; ALTER STATISTICS s.x SET STATISTICS {target}")
    live = snapshot(database)
    (before,) = (o for o in live if o.kind == "statistics object")
    database.execute("ALTER TABLE s.t ALTER a TYPE bigint")
    lost = snapshot(database)[before.address].attributes != before.attributes
    column = live[Address("table column", ("s", "t", "a"))]
    scene = Scene(live, live, database.info.server_version)
    again = registry()["statistics object"].survives(before, column, scene)
    assert again == ({"target"} if lost else frozenset())


def test_the_order_of_columns_is_no_difference(database: Connection) -> None:
    made = "CREATE TABLE t ({}); CREATE STATISTICS x ON a, b, (a + b) FROM t"
    assert converge(database, made.format("b int, a int"), made.format("a int, b int")) == []
