from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = """
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION g() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
"""
PLAIN = "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", PLAIN + "; ALTER EVENT TRIGGER e ENABLE ALWAYS"),
        (
            PLAIN,
            "CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION f()",
        ),
        (PLAIN, "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()"),
        (PLAIN, 'CREATE EVENT TRIGGER "E e" ON ddl_command_end EXECUTE FUNCTION g()'),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("event trigger", old, new, setup=SETUP)


@pytest.mark.parametrize("mode", ["DISABLE", "ENABLE REPLICA", "ENABLE ALWAYS"])
def test_mode(convert: Convert, mode: str) -> None:
    statements = convert("event trigger", PLAIN, f"{PLAIN}; ALTER EVENT TRIGGER e {mode}", setup=SETUP)
    assert statements == [f"ALTER EVENT TRIGGER e {mode}"]
