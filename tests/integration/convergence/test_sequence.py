from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

LOW, HIGH = "CREATE SEQUENCE ticket MAXVALUE 60", "CREATE SEQUENCE ticket MINVALUE 500 MAXVALUE 600"


@pytest.mark.parametrize(("old", "new", "following"), [(LOW, HIGH, 500), (HIGH, LOW, 1)], ids=["up", "down"])
def test_limits_that_it_stands_outside_of(converge: Converge, old: str, new: str, following: int) -> None:
    converge(old, new, check=f"SELECT nextval('ticket') = {following}")
    converge(old, new, rows="SELECT nextval('ticket')", check=f"SELECT nextval('ticket') = {following}")


def test_within_its_new_limits_it_goes_on(converge: Converge) -> None:
    raised = "CREATE SEQUENCE ticket MINVALUE 10 MAXVALUE 60"
    converge(LOW, raised, rows="SELECT setval('ticket', 20)", check="SELECT nextval('ticket') = 21")


def test_it_has_the_owner_of_the_table_that_it_comes_to_belong_to(converge: Converge) -> None:
    """Though owners are not compared: PostgreSQL refuses OWNED BY where they differ."""
    table = "CREATE TABLE t (a int); ALTER TABLE t OWNER TO pg_monitor; CREATE SEQUENCE s;"
    for new in (
        "ALTER TABLE t ADD b serial",
        "ALTER SEQUENCE s OWNER TO pg_monitor; ALTER SEQUENCE s OWNED BY t.a",
    ):
        converge(table, table + new)
