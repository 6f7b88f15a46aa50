"""A sequence goes on counting when its options change; where it cannot, that is told beforehand."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.integration.convergence.conftest import Converge
from tests.integration.convergence.test_rows_in_the_way import declared, told

IDENTITY = "CREATE TABLE t (i {} GENERATED ALWAYS AS IDENTITY {}, b int)"
COUNTING = [
    ("MAXVALUE 10 CYCLE", "MAXVALUE 10"),
    ("MAXVALUE 10", "MAXVALUE 10 CYCLE"),
    ("", "MAXVALUE 100 START 3"),
    ("MINVALUE -5 START 1", "MINVALUE 1"),
    ("AS smallint", "AS bigint CACHE 3"),
]
REFUSED = {
    "sequence": ("CREATE SEQUENCE s", "CREATE SEQUENCE s MAXVALUE 2", "SELECT setval('s', {})", 2, 3, "public.s"),
    "type": (
        "CREATE SEQUENCE s", "CREATE SEQUENCE s AS smallint",
        "SELECT setval('s', {})", 32767, 32768, "public.s",
    ),
    "identity": (
        IDENTITY.format("int", ""), IDENTITY.format("int", "(MAXVALUE 9)"),
        "SELECT setval('t_i_seq', {})", 9, 10, "public.t.i",
    ),
}  # fmt: skip
AGAIN = [
    ("CREATE SEQUENCE s", "CREATE SEQUENCE s INCREMENT -1", "-1"),
    ("CREATE SEQUENCE s START 50", "CREATE SEQUENCE s MAXVALUE 10", "1"),
]


@pytest.mark.parametrize(("old", "new"), COUNTING)
def test_goes_on(converge: Converge, old: str, new: str) -> None:
    used = "SELECT nextval('s') FROM generate_series(1, 4)"
    converge(
        f"CREATE SEQUENCE s {old}", f"CREATE SEQUENCE s {new}", rows=used, check="SELECT nextval('s') = 5"
    )


@pytest.mark.parametrize("name", REFUSED)
def test_refused(new_database: Callable[..., str], name: str) -> None:
    old, new, move, inside, outside, subject = REFUSED[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        connection.execute(move.format(outside))
        assert [(h.hazard, h.object) for h in told(connection, desired)] == [("check", subject)]
        with pytest.raises(psycopg.Error):
            told(connection, desired, carry_out=True)
        connection.execute(move.format(inside))
        assert told(connection, desired, carry_out=True) == []


@pytest.mark.parametrize(("old", "new", "start"), AGAIN)
def test_starts_over(new_database: Callable[..., str], old: str, new: str, start: str) -> None:
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert told(connection, desired) == []
        connection.execute("SELECT nextval('s')")
        messages = [(h.consent, h.message) for h in told(connection, desired, carry_out=True)]
        assert messages == [("behaviour:public.s", f"its position would be {start} again")]
