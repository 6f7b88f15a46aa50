from __future__ import annotations

import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Connection, Convert, passing, snapshot, steps_between
from tests.integration.kinds.converge import converge

SETUP = "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT a, 'x'::text AS b FROM generate_series(1, 3) a"
PLAIN = "CREATE MATERIALIZED VIEW s.m AS SELECT a FROM s.t"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", 'CREATE MATERIALIZED VIEW s."M m" WITH (fillfactor = 70) AS SELECT a, b FROM s.t WITH NO DATA'),
        (PLAIN, "CREATE MATERIALIZED VIEW s.m AS SELECT b FROM s.t"),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("materialized view", old, new, setup=SETUP)


def test_storage_is_altered(convert: Convert) -> None:
    am = "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;" + SETUP
    statements = convert(
        "materialized view",
        "CREATE MATERIALIZED VIEW s.m WITH (fillfactor=70, toast.autovacuum_enabled=off) AS SELECT a, b FROM s.t",
        "CREATE MATERIALIZED VIEW s.m USING heap2 WITH (fillfactor=80) AS SELECT a, b FROM s.t",
        setup=am,
    )
    assert statements == [
        "ALTER MATERIALIZED VIEW s.m SET ACCESS METHOD heap2",
        "ALTER MATERIALIZED VIEW s.m SET (fillfactor='80')",
        "ALTER MATERIALIZED VIEW s.m RESET (toast.autovacuum_enabled)",
    ]


@pytest.mark.parametrize("populated", [True, False])
def test_a_rebuild_keeps_the_populated_state(database: Connection, populated: bool) -> None:
    database.execute(SETUP)
    data, other = ("", " WITH NO DATA") if populated else (" WITH NO DATA", "")
    with passing(database, "CREATE MATERIALIZED VIEW s.m AS SELECT b FROM s.t" + other) as desired:
        pass
    database.execute(PLAIN + data)
    for step in steps_between(Scene(snapshot(database), desired, 180000), "materialized view"):
        database.execute(step.sql)
    assert database.execute("SELECT ispopulated FROM pg_matviews").fetchall() == [(populated,)]


def test_only_a_drop_for_good_loses_rows(database: Connection) -> None:
    kind = registry()["materialized view"]
    with passing(database, "SELECT") as nothing:
        pass
    database.execute(SETUP + ";" + PLAIN)
    live = snapshot(database)
    (view,) = (o for o in live if o.kind == "materialized view")
    (risk,) = kind.risks(view, None, frozenset(), Scene(live, nothing, 180000))
    assert (risk.hazard, risk.subject) == ("data-loss", "s.m")
    assert risk.exists is not None
    assert database.execute(risk.exists).fetchall() == [(True,)]
    assert kind.risks(view, None, frozenset(), Scene(live, live, 180000)) == []


def test_compression_of_its_columns(database: Connection) -> None:
    made = f"{SETUP}; CREATE MATERIALIZED VIEW s.m AS SELECT b FROM s.t"
    statements = converge(database, "", made + "; ALTER MATERIALIZED VIEW s.m ALTER b SET COMPRESSION pglz")
    assert "ALTER TABLE ONLY s.m ALTER COLUMN b SET COMPRESSION pglz" in statements
