"""Foreign keys that are enforced and validated, or not."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.integration.convergence.conftest import Converge

pytestmark = pytest.mark.since(18, "constraints that are NOT ENFORCED")

TABLES = "CREATE TABLE author (id int PRIMARY KEY); CREATE TABLE book (author int);"
KEY = "ALTER TABLE book ADD CONSTRAINT book_author FOREIGN KEY (author) REFERENCES author"
STATES = ("", "NOT VALID", "NOT ENFORCED")


@pytest.mark.parametrize(("old", "new"), list(permutations(STATES, 2)))
def test_from_state_to_state(converge: Converge, old: str, new: str) -> None:
    done = converge(f"{TABLES}{KEY} {old}", f"{TABLES}{KEY} {new}")
    rebuilt = any("DROP CONSTRAINT" in statement for statement in done)
    assert rebuilt == (new == "NOT VALID")


def test_deferrable_along_with_it(converge: Converge) -> None:
    converge(f"{TABLES}{KEY}", f"{TABLES}{KEY} DEFERRABLE INITIALLY DEFERRED NOT ENFORCED")
    converge(f"{TABLES}{KEY} NOT ENFORCED", f"{TABLES}{KEY} DEFERRABLE INITIALLY DEFERRED")
