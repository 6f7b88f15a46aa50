from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = "CREATE SCHEMA s; CREATE TABLE s.t (a int)"
PLAIN = "CREATE PROCEDURE s.p(a int, INOUT b int) LANGUAGE plpgsql AS 'BEGIN END'"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", "CREATE PROCEDURE \"P p\"() LANGUAGE sql SECURITY DEFINER SET work_mem = '1MB' AS ''"),
        (
            "",
            "CREATE PROCEDURE s.p(a int DEFAULT 1) LANGUAGE sql BEGIN ATOMIC INSERT INTO s.t VALUES (a); END",
        ),
        ("CREATE PROCEDURE s.p(OUT a int) LANGUAGE plpgsql AS 'BEGIN END'", ""),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("procedure", old, new, setup=SETUP)


@pytest.mark.parametrize(
    "new",
    [
        PLAIN.replace("BEGIN", "BEGIN NULL;"),
        PLAIN.replace("AS", "SECURITY DEFINER SET work_mem = '1MB' AS"),
        PLAIN.replace("INOUT b int", "INOUT b int DEFAULT 1"),
    ],
)
def test_is_replaced(convert: Convert, new: str) -> None:
    (statement,) = convert("procedure", PLAIN, new, setup=SETUP)
    assert statement.startswith("CREATE OR REPLACE PROCEDURE s.p(")


@pytest.mark.parametrize(
    "new",
    [
        PLAIN.replace("a int", "c int"),
        PLAIN.replace("INOUT b", "INOUT c"),
        PLAIN.replace("INOUT b", "b"),
        PLAIN.replace("INOUT b int", "INOUT b int, OUT c int"),
    ],
)
def test_is_rebuilt_where_callers_would_notice(convert: Convert, new: str) -> None:
    drop, create = convert("procedure", PLAIN, new, setup=SETUP)
    assert drop.startswith("DROP PROCEDURE s.p(")
    assert create.startswith("CREATE PROCEDURE s.p(")


def test_overloads_that_differ_in_modes(convert: Convert) -> None:
    """A list of types alone could be that of either."""
    overloads = """
        CREATE PROCEDURE s.p(OUT a int, b int) LANGUAGE sql AS 'SELECT 1';
        CREATE PROCEDURE s.p(a int, b int) LANGUAGE sql AS 'SELECT 1';
        COMMENT ON PROCEDURE s.p(OUT int, int) IS 'one'; REVOKE ALL ON PROCEDURE s.p(IN int, IN int) FROM PUBLIC
    """
    convert("procedure", overloads, "", setup=SETUP)
