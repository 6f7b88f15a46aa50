from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Connection, Convert, snapshot

SETUP = """
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE t (a int, b text);
CREATE VIEW v AS SELECT a FROM t;
CREATE TABLE p (a int) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (a);
CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
"""
PLAIN = "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
CONSTRAINT = "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()"
PARTITIONED = "CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f()"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", PLAIN + "; ALTER TABLE t ENABLE ALWAYS TRIGGER g"),
        (
            "",
            'CREATE TRIGGER "G g" BEFORE UPDATE OF b ON t FOR EACH ROW WHEN (new.a > 1) EXECUTE FUNCTION f(1)',
        ),
        ("", "CREATE TRIGGER g AFTER UPDATE ON t REFERENCING NEW TABLE AS n EXECUTE FUNCTION f()"),
        ("", "CREATE TRIGGER g INSTEAD OF DELETE ON v FOR EACH ROW EXECUTE FUNCTION f()"),
        ("", CONSTRAINT),
        (CONSTRAINT, ""),
        (PLAIN, CONSTRAINT),
        (CONSTRAINT, PLAIN),
        (CONSTRAINT, CONSTRAINT.replace("DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")),
        ("", PARTITIONED),
        (PARTITIONED, ""),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("trigger", old, new, setup=SETUP)


@pytest.mark.parametrize("old", ["ENABLE", "DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS"])
@pytest.mark.parametrize("new", ["ENABLE", "DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS"])
def test_mode(convert: Convert, old: str, new: str) -> None:
    before, after = (f"{PLAIN}; ALTER TABLE t {mode} TRIGGER g" for mode in (old, new))
    statements = convert("trigger", before, after, setup=SETUP)
    assert statements == ([] if old == new else [f"ALTER TABLE public.t {new} TRIGGER g"])


def test_a_replacement_keeps_the_mode(convert: Convert) -> None:
    mode = "; ALTER TABLE t ENABLE ALWAYS TRIGGER g"
    statements = convert("trigger", PLAIN + mode, PLAIN.replace("INSERT", "DELETE") + mode, setup=SETUP)
    assert [s.split(" TRIGGER")[0] for s in statements] == [
        "CREATE OR REPLACE",
        "ALTER TABLE public.t ENABLE ALWAYS",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "; ALTER TABLE p2 DISABLE TRIGGER g"),
        ("; ALTER TABLE p2 DISABLE TRIGGER g", ""),
        ("", "; ALTER TABLE p ENABLE ALWAYS TRIGGER g"),
        ("; ALTER TABLE p11 DISABLE TRIGGER g", "; ALTER TABLE p ENABLE ALWAYS TRIGGER g"),
        ("", "; ALTER TABLE p ENABLE ALWAYS TRIGGER g; ALTER TABLE p1 ENABLE REPLICA TRIGGER g"),
        (
            "; ALTER TABLE p11 DISABLE TRIGGER g",
            "; ALTER TABLE p ENABLE ALWAYS TRIGGER g; ALTER TABLE p11 DISABLE TRIGGER g",
        ),
    ],
)
def test_partitions_have_modes_of_their_own(convert: Convert, old: str, new: str) -> None:
    convert("trigger", PARTITIONED + old, PARTITIONED + new, setup=SETUP)


def test_a_replacement_keeps_the_modes_of_partitions(convert: Convert) -> None:
    mode = "; ALTER TABLE p11 ENABLE ALWAYS TRIGGER g"
    convert("trigger", PARTITIONED + mode, PARTITIONED.replace("INSERT", "DELETE") + mode, setup=SETUP)


def test_triggers_of_foreign_keys_are_no_objects(database: Connection) -> None:
    database.execute("CREATE TABLE a (x int PRIMARY KEY); CREATE TABLE b (x int REFERENCES a)")
    assert not [o for o in snapshot(database) if o.kind == "trigger"]
