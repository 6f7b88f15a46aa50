from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = "CREATE TABLE t (a int, b text); CREATE TABLE log (a int); CREATE VIEW v AS SELECT a FROM t"
PLAIN = "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.a)"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", 'CREATE RULE "R r" AS ON UPDATE TO t WHERE new.b <> old.b DO INSTEAD NOTHING'),
        ("", "CREATE RULE r AS ON DELETE TO v DO INSTEAD (DELETE FROM t WHERE a = old.a; NOTIFY gone)"),
        ("", PLAIN + "; ALTER TABLE t ENABLE REPLICA RULE r"),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("rule", old, new, setup=SETUP)


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("ENABLE", "DISABLE", ["ALTER TABLE public.t DISABLE RULE r"]),
        ("DISABLE", "ENABLE ALWAYS", ["ALTER TABLE public.t ENABLE ALWAYS RULE r"]),
        ("ENABLE REPLICA", "ENABLE", ["ALTER TABLE public.t ENABLE RULE r"]),
    ],
)
def test_mode(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    old, new = (f"{PLAIN}; ALTER TABLE t {mode} RULE r" for mode in (old, new))
    assert convert("rule", old, new, setup=SETUP) == statements


def test_is_replaced_and_keeps_its_mode(convert: Convert) -> None:
    mode = "; ALTER TABLE t DISABLE RULE r"
    other = "CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING"
    (statement,) = convert("rule", PLAIN + mode, other + mode, setup=SETUP)
    assert statement.startswith("CREATE OR REPLACE RULE r AS")
