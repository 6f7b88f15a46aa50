"""Routines in whose bodies the name of a changed column stands are named."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from novaops.planning.draft import draft
from novaops.planning.readers import readers
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, snapshot
from tests.integration.convergence.test_rows_in_the_way import declared

TABLE = "CREATE TABLE users (id int, legacy_id {}); CREATE TABLE orders (id int, legacy_id int);"
BODY = "CREATE FUNCTION {}() RETURNS void LANGUAGE plpgsql AS 'BEGIN {} END';"
FUNCTIONS = (
    BODY.format("reads", "PERFORM Legacy_ID FROM public.users;")
    + BODY.format("reads_another", "PERFORM legacy_id FROM orders;")
    + BODY.format("reads_less", "PERFORM id FROM users;")
    + BODY.format("longer_word", "PERFORM my_legacy_id FROM users;")
)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (TABLE.format("bigint"), ["public.users.legacy_id changes its type"]),
        (
            TABLE.format("int").replace("legacy_id int);", "id2 int);", 1),
            ["public.users.legacy_id is dropped"],
        ),
        (TABLE.format("int DEFAULT 1"), []),
        ("CREATE TABLE orders (id int, legacy_id int);", []),
    ],
)
def test_named(new_database: Callable[..., str], new: str, said: list[str]) -> None:
    desired = declared(new_database(), new + FUNCTIONS)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TABLE.format("int") + FUNCTIONS)
        made = draft(snapshot(connection), desired, EVERYTHING, MANAGED)
    suffix = ", and its name is in the body of public.reads(): see whether they still do what they should"
    assert list(readers(made)) == [text + suffix for text in said]


def test_a_routine_that_changes_along_is_known(new_database: Callable[..., str]) -> None:
    changed = FUNCTIONS.replace("PERFORM Legacy_ID", "PERFORM 1 + Legacy_ID")
    desired = declared(new_database(), TABLE.format("bigint") + changed)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TABLE.format("int") + FUNCTIONS)
        assert list(readers(draft(snapshot(connection), desired, EVERYTHING, MANAGED))) == []
