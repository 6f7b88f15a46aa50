from __future__ import annotations

import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Connection, Convert, passing, snapshot

SETUP = 'CREATE SCHEMA s; CREATE TABLE s.t (a int, b text, c text COLLATE "C", "D d" numeric(8, 2))'
PLAIN = "CREATE VIEW s.v AS SELECT a FROM s.t"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", 'CREATE VIEW s."V v" WITH (security_invoker) AS SELECT "D d" AS "x y" FROM s.t'),
        (
            "",
            "CREATE VIEW s.v WITH (security_barrier) AS SELECT a FROM s.t WHERE a > 0 WITH LOCAL CHECK OPTION",
        ),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("view", old, new, setup=SETUP)


@pytest.mark.parametrize(
    ("new", "verbs"),
    [
        ("CREATE VIEW s.v AS SELECT a FROM s.t WHERE a > 0", ["CREATE OR REPLACE VIEW"]),
        ("CREATE VIEW s.v AS SELECT a, b FROM s.t", ["CREATE OR REPLACE VIEW"]),
        ("CREATE VIEW s.v WITH (security_barrier) AS SELECT a, b FROM s.t", ["CREATE OR REPLACE VIEW"]),
        ("CREATE VIEW s.v AS SELECT b FROM s.t", ["DROP VIEW", "CREATE VIEW"]),
        ("CREATE VIEW s.v AS SELECT a AS z FROM s.t", ["DROP VIEW", "CREATE VIEW"]),
        ("CREATE VIEW s.v AS SELECT a::bigint FROM s.t", ["DROP VIEW", "CREATE VIEW"]),
        ("CREATE VIEW s.v AS SELECT b, a FROM s.t", ["DROP VIEW", "CREATE VIEW"]),
    ],
)
def test_is_replaced_where_its_columns_stay(convert: Convert, new: str, verbs: list[str]) -> None:
    statements = convert("view", PLAIN, new, setup=SETUP)
    assert [statement.partition(" s.v")[0] for statement in statements] == verbs


def test_a_column_of_another_collation_is_a_rebuild(convert: Convert) -> None:
    old, new = "CREATE VIEW s.v AS SELECT b FROM s.t", "CREATE VIEW s.v AS SELECT c AS b FROM s.t"
    assert convert("view", old, new, setup=SETUP)[0] == "DROP VIEW s.v"


def test_options_survive_a_replacement(convert: Convert) -> None:
    old = "CREATE VIEW s.v WITH (security_barrier) AS SELECT a FROM s.t"
    statements = convert("view", old, old + " WHERE a > 0", setup=SETUP)
    assert statements[0].startswith("CREATE OR REPLACE VIEW s.v WITH (security_barrier='true') AS")


def test_options_are_set_and_reset(convert: Convert) -> None:
    statements = convert(
        "view",
        "CREATE VIEW s.v WITH (security_barrier, check_option=local) AS SELECT a FROM s.t",
        "CREATE VIEW s.v WITH (security_invoker, check_option=cascaded) AS SELECT a FROM s.t",
        setup=SETUP,
    )
    assert statements == [
        "ALTER VIEW s.v SET (security_invoker='true', check_option='cascaded')",
        "ALTER VIEW s.v RESET (security_barrier)",
    ]


def test_a_stub_has_its_columns_and_is_replaced(database: Connection) -> None:
    database.execute(SETUP)
    with passing(database, 'CREATE VIEW s.v AS SELECT c, "D d", a FROM s.t') as desired:
        pass
    (view,) = (o for o in desired if o.kind == "view")
    for step in registry()["view"].stub(view) or []:
        database.execute(step.sql)
    database.execute("CREATE FUNCTION s.f(s.v) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT ($1).a; END")
    scene = Scene(desired, desired, 180000, stubbed=frozenset({view.address}))
    (step,) = registry()["view"].create(view, (), scene)
    database.execute(step.sql)
    assert snapshot(database)[view.address].attributes == view.attributes
