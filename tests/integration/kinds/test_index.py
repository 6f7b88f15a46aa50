from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Connection
from tests.integration.kinds.converge import converge

TABLE = "CREATE TABLE t (a int, b text, c int NOT NULL);"
FULL = (
    "CREATE UNIQUE INDEX i ON t (lower(b) text_pattern_ops DESC NULLS LAST, a) INCLUDE (c)"
    " WITH (fillfactor = 60, deduplicate_items = off) WHERE a > 3; ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 77"
)


@pytest.mark.parametrize(
    ("old", "new", "first_word"),
    [
        ("", FULL, "CREATE"),
        (FULL, "", "DROP"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (a DESC)", "DROP"),
        ("CREATE INDEX i ON t (a) WHERE a > 1", "CREATE INDEX i ON t (a) WHERE a > 2", "DROP"),
        ("CREATE INDEX i ON t (a) WITH (fillfactor = 50)", "CREATE INDEX i ON t (a)", "ALTER"),
        (FULL, FULL.replace("60", "70").replace("77", "-1"), "ALTER"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (a); ALTER TABLE t CLUSTER ON i", "ALTER"),
        ("CREATE INDEX i ON t (a); ALTER TABLE t CLUSTER ON i", "CREATE INDEX i ON t (a)", "ALTER"),
        ("", "CREATE UNIQUE INDEX i ON t (c); ALTER TABLE t REPLICA IDENTITY USING INDEX i", "CREATE"),
    ],
)
def test_change(database: Connection, old: str, new: str, first_word: str) -> None:
    assert converge(database, TABLE + old, TABLE + new)[0].startswith(first_word)


def test_an_invalid_index_is_built_again(database: Connection) -> None:
    index = "CREATE INDEX i ON t (a)"
    broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass"
    assert converge(database, TABLE + index, TABLE + index, rows=broken) == [
        "DROP INDEX public.i",
        "CREATE INDEX i ON public.t USING btree (a)",
    ]
