"""What PostgreSQL refuses, or does not tell, is said and not guessed."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import psycopg

from novaops.catalog.snapshot import Snapshot
from novaops.planning.diff import diff
from novaops.planning.planner import unread
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, snapshot


def test_hidden_options_of_a_user_mapping(new_database: Callable[..., str]) -> None:
    role = f"novaops_test_{uuid4().hex}"
    server = "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w"
    mapping = "CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (password '{}')"

    def seen(password: str, as_role: str | None) -> Snapshot:
        with (
            psycopg.connect(new_database()) as connection,
            connection.transaction(force_rollback=True),
        ):
            connection.execute(f"CREATE ROLE {role}; {server}; {mapping.format(password)}")
            connection.execute(f"SET LOCAL ROLE {as_role}" if as_role else "SELECT")
            return snapshot(connection)

    old, new, hidden = seen("a", None), seen("b", None), seen("b", role)
    assert unread(old, new) == []
    assert [address.type for address in diff(old, new, EVERYTHING, MANAGED)] == ["user mapping"]
    assert diff(old, hidden, EVERYTHING, MANAGED) == {}
    assert diff(hidden, new, EVERYTHING, MANAGED) == {}
    [told] = unread(hidden, new)
    assert told.startswith("options of user mapping ")
