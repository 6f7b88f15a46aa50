"""Foreign-data wrappers, servers, user mappings and foreign tables."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Convert, passing, snapshot

WRAPPER = "CREATE FOREIGN DATA WRAPPER w;"
SERVER = f"{WRAPPER} CREATE SERVER srv FOREIGN DATA WRAPPER w;"
MAPPING = "CREATE USER MAPPING FOR PUBLIC SERVER srv"


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        ("", 'CREATE FOREIGN DATA WRAPPER "The w"', ['CREATE FOREIGN DATA WRAPPER "The w"']),
        (
            "",
            "CREATE FOREIGN DATA WRAPPER w OPTIONS (host 'a''b', dbname 'c')",
            ["CREATE FOREIGN DATA WRAPPER w OPTIONS (dbname 'c', host 'a''b')"],
        ),
        (
            "CREATE FOREIGN DATA WRAPPER w OPTIONS (host 'a', port '1')",
            "CREATE FOREIGN DATA WRAPPER w OPTIONS (host 'b', \"Other\" 'x')",
            ["ALTER FOREIGN DATA WRAPPER w OPTIONS (DROP port, ADD \"Other\" 'x', SET host 'b')"],
        ),
        (
            "CREATE FOREIGN DATA WRAPPER w",
            "CREATE FOREIGN DATA WRAPPER w VALIDATOR postgresql_fdw_validator",
            ["ALTER FOREIGN DATA WRAPPER w VALIDATOR postgresql_fdw_validator"],
        ),
        (
            "CREATE FOREIGN DATA WRAPPER w VALIDATOR postgresql_fdw_validator",
            "CREATE FOREIGN DATA WRAPPER w",
            ["ALTER FOREIGN DATA WRAPPER w NO VALIDATOR"],
        ),
        (WRAPPER, "", ["DROP FOREIGN DATA WRAPPER w"]),
    ],
)
def test_foreign_data_wrapper(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("foreign data wrapper", old, new) == statements


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (
            "",
            "CREATE SERVER srv TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (a 'b')",
            ["CREATE SERVER srv TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (a 'b')"],
        ),
        (
            "CREATE SERVER srv VERSION '1' FOREIGN DATA WRAPPER w OPTIONS (a 'b')",
            "CREATE SERVER srv FOREIGN DATA WRAPPER w OPTIONS (b 'b')",
            ["ALTER SERVER srv VERSION NULL OPTIONS (DROP a, ADD b 'b')"],
        ),
        (
            "CREATE SERVER srv TYPE 'x' FOREIGN DATA WRAPPER w",
            "CREATE SERVER srv TYPE 'y' FOREIGN DATA WRAPPER w",
            ["DROP SERVER srv", "CREATE SERVER srv TYPE 'y' FOREIGN DATA WRAPPER w"],
        ),
        ("CREATE SERVER srv FOREIGN DATA WRAPPER w", "", ["DROP SERVER srv"]),
    ],
)
def test_server(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("server", old, new, setup=WRAPPER) == statements


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (
            "",
            f"{MAPPING} OPTIONS (\"user\" 'a', password 'p')",
            ["CREATE USER MAPPING FOR PUBLIC SERVER srv OPTIONS (password 'p', \"user\" 'a')"],
        ),
        (
            f"{MAPPING} OPTIONS (password 'p')",
            f"{MAPPING} OPTIONS (password 'q')",
            ["ALTER USER MAPPING FOR PUBLIC SERVER srv OPTIONS (SET password 'q')"],
        ),
        (f"{MAPPING} OPTIONS (password 'p')", "", ["DROP USER MAPPING FOR PUBLIC SERVER srv"]),
    ],
)
def test_user_mapping(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("user mapping", old, new, setup=SERVER) == statements


def test_passwords_are_marked(database: psycopg.Connection[Any]) -> None:
    options = "OPTIONS (host 'h', password 'it''s secret')"
    database.execute(f"{WRAPPER} CREATE SERVER srv FOREIGN DATA WRAPPER w {options}; {MAPPING} {options}")
    live = snapshot(database)
    scene = Scene(live, live, database.info.server_version)
    secrets = {
        obj.kind: set(step.secrets)
        for obj in live
        for step in registry()[obj.kind].create(obj, (), scene)
        if step.secrets
    }
    assert secrets == {"server": {"'it''s secret'"}, "user mapping": {"'h'", "'it''s secret'"}}


def test_descriptions_hold_no_values(database: psycopg.Connection[Any]) -> None:
    def made(value: str) -> str:
        options = f"OPTIONS (password '{value}')"
        return f"{WRAPPER} CREATE SERVER srv FOREIGN DATA WRAPPER w {options}; {MAPPING} {options}"

    with passing(database, made("hidden")) as old:
        pass
    with passing(database, made("other")) as new:
        pass
    texts = [
        registry()[o.kind].describe(o, new[o.address], "options")
        for o in old
        if o.kind in ("server", "user mapping")
    ]
    assert sorted(texts) == ["options changed", "options: ~ password"]


FOREIGN = 'CREATE FOREIGN TABLE "F" (a int) '


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (f"{FOREIGN} SERVER srv", "", ['DROP FOREIGN TABLE public."F"']),
        (
            f"{FOREIGN} SERVER srv OPTIONS (a 'b')",
            f"{FOREIGN} SERVER srv OPTIONS (a 'c')",
            ["ALTER FOREIGN TABLE public.\"F\" OPTIONS (SET a 'c')"],
        ),
        (
            f"{FOREIGN} SERVER srv",
            f"{FOREIGN} INHERITS (p) SERVER srv",
            ['ALTER FOREIGN TABLE public."F" INHERIT public.p'],
        ),
        (
            f"{FOREIGN} INHERITS (p) SERVER srv",
            f"{FOREIGN} SERVER srv",
            ['ALTER FOREIGN TABLE public."F" NO INHERIT public.p'],
        ),
        (
            f'{FOREIGN} SERVER srv; ALTER TABLE pp ATTACH PARTITION "F" FOR VALUES IN (1)',
            f'{FOREIGN} SERVER srv; ALTER TABLE pp ATTACH PARTITION "F" FOR VALUES IN (2)',
            [
                'ALTER TABLE public.pp DETACH PARTITION public."F"',
                'ALTER TABLE ONLY public.pp ATTACH PARTITION public."F" FOR VALUES IN (2)',
            ],
        ),
    ],
)
def test_foreign_table(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    setup = f"{SERVER} CREATE TABLE p (a int); CREATE TABLE pp (a int) PARTITION BY LIST (a)"
    assert convert("foreign table", old, new, setup=setup) == statements


@pytest.mark.parametrize(
    "definition",
    [
        "(a int OPTIONS (name 'b') NOT NULL DEFAULT 3, b text, CONSTRAINT c CHECK (a > 0)) SERVER srv OPTIONS (t 'x')",
        "() INHERITS (p) SERVER srv",
        "() SERVER srv",
        "PARTITION OF pp FOR VALUES IN (1) SERVER srv",
    ],
)
def test_a_new_foreign_table(convert: Convert, definition: str) -> None:
    setup = f"{SERVER} CREATE TABLE p (a int); CREATE TABLE pp (a int) PARTITION BY LIST (a)"
    convert("foreign table", "", f"CREATE FOREIGN TABLE f {definition}", setup=setup)
