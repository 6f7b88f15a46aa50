from __future__ import annotations

import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Connection, Convert, passing, snapshot

SETUP = 'CREATE SCHEMA s; CREATE TABLE s."T t" (a int, b text)'
PLAIN = 'CREATE POLICY p ON s."T t" USING (a > 0)'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", 'CREATE POLICY "P p" ON s."T t"'),
        ("", PLAIN),
        (PLAIN, ""),
        (
            "",
            'CREATE POLICY p ON s."T t" AS RESTRICTIVE FOR SELECT TO CURRENT_USER, pg_monitor USING (a > 0)',
        ),
        ("", "CREATE POLICY p ON s.\"T t\" FOR INSERT WITH CHECK (b <> 'x')"),
        ("", 'CREATE POLICY p ON s."T t" FOR UPDATE USING (a > 0) WITH CHECK (a > 1)'),
        (
            "",
            'CREATE POLICY p ON s."T t" FOR DELETE USING (EXISTS (SELECT FROM s."T t" x WHERE x.a = "T t".a))',
        ),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("policy", old, new, setup=SETUP)


@pytest.mark.parametrize(
    ("clauses", "verbs"),
    [
        ("TO pg_monitor USING (a > 0)", ["ALTER"]),
        ("USING (a > 2)", ["ALTER"]),
        ("USING (a > 0) WITH CHECK (b IS NULL)", ["ALTER"]),
        ("TO pg_monitor USING (a > 4) WITH CHECK (b IS NULL)", ["ALTER"]),
        ("WITH CHECK (b IS NULL)", ["DROP", "CREATE"]),
        ("FOR SELECT USING (a > 0)", ["DROP", "CREATE"]),
        ("AS RESTRICTIVE USING (a > 0)", ["DROP", "CREATE"]),
    ],
)
def test_alter_or_rebuild(convert: Convert, clauses: str, verbs: list[str]) -> None:
    statements = convert("policy", PLAIN, f'CREATE POLICY p ON s."T t" {clauses}', setup=SETUP)
    assert [statement.split()[0] for statement in statements] == verbs


@pytest.mark.parametrize(
    ("clause", "hazard"), [("PERMISSIVE", "access-loss"), ("RESTRICTIVE", "row-security")]
)
def test_a_dropped_policy_changes_who_sees_rows(database: Connection, clause: str, hazard: str) -> None:
    database.execute(f'{SETUP}; ALTER TABLE s."T t" ENABLE ROW LEVEL SECURITY')
    without = snapshot(database)
    with passing(database, 'DROP TABLE s."T t"') as nothing:
        pass
    database.execute(f'CREATE POLICY p ON s."T t" AS {clause} USING (a > 0)')
    live = snapshot(database)
    (policy,) = (o for o in live if o.kind == "policy")
    kind = registry()["policy"]
    risks = kind.risks(policy, None, frozenset(), Scene(live, without, 180000))
    assert [(r.hazard, r.subject) for r in risks] == [(hazard, 'p on s."T t"')]
    assert kind.risks(policy, None, frozenset(), Scene(live, nothing, 180000)) == []
