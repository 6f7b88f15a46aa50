from __future__ import annotations

from tests.integration.convergence.conftest import Converge

PARENT = "CREATE TABLE log (day date NOT NULL, line text) PARTITION BY RANGE (day);"
ALONE = PARENT + "CREATE TABLE log_1 (day date NOT NULL, line text)"
PART = PARENT + "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2001-01-01') TO ('2002-01-01')"


def test_not_null_goes_by_the_name_it_would_have_inherited(converge: Converge) -> None:
    rows, kept = "INSERT INTO log_1 VALUES ('2001-05-05', 'x')", "SELECT count(*) = 1 FROM log_1"
    converge(ALONE, PART, rows=rows, check=kept)
    converge(PART, ALONE, rows=rows, check=kept)
