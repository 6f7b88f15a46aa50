"""What a publication publishes changes from tables to schemas and back."""

from __future__ import annotations

from tests.integration.convergence.conftest import Converge

TABLES = (
    "CREATE TABLE t (id int PRIMARY KEY, a text); CREATE SCHEMA s; CREATE TABLE s.w (id int PRIMARY KEY);"
)
LISTED = TABLES + "CREATE PUBLICATION p FOR TABLE t (id)"
WHOLE = TABLES + "CREATE PUBLICATION p FOR TABLE t, TABLES IN SCHEMA s"


def test_a_list_of_columns_goes_before_a_schema_comes(converge: Converge) -> None:
    converge(LISTED, WHOLE)
    converge(WHOLE, LISTED)
