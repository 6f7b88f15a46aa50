"""The stamp tells whether anybody has changed the schema."""

from __future__ import annotations

import psycopg
import pytest

from novaops.execution.stamp import stamp
from tests.integration.journal.conftest import (
    Connection,
)


@pytest.mark.parametrize(
    "change",
    [
        "COMMENT ON TABLE t IS 'x'", "GRANT SELECT ON t TO PUBLIC", "ALTER TABLE t ALTER a SET DEFAULT 3",
        "ALTER TABLE t ALTER a SET STATISTICS 7", "CREATE FUNCTION f() RETURNS int RETURN 1", "DROP TABLE t",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", "ALTER TABLE t RENAME b TO c", "CREATE SEQUENCE s",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "ALTER TABLE t SET (fillfactor = 50)", "CREATE SCHEMA x",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "CREATE PUBLICATION p",
    ],
)  # fmt: skip
def test_any_change_changes_the_stamp(live: Connection, change: str) -> None:
    before = stamp(live)
    live.execute(change)
    assert stamp(live) != before


def test_ordinary_work_does_not(url: str, live: Connection) -> None:
    live.execute("CREATE MATERIALIZED VIEW v AS SELECT * FROM t; CREATE INDEX ON t (b)")
    before = stamp(live)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE TEMP TABLE x (a int PRIMARY KEY DEFAULT 3, b text CHECK (b <> ''))")
        other.execute("COMMENT ON TABLE x IS 'mine'; CREATE VIEW pg_temp.y AS SELECT * FROM x")
        other.execute("CREATE FUNCTION pg_temp.f() RETURNS int RETURN 1")
        other.execute("INSERT INTO t SELECT n, repeat('x', n) FROM generate_series(1, 3000) n")
        other.execute("DELETE FROM t WHERE a > 2000")
        for text in (
            "REFRESH MATERIALIZED VIEW v",
            "VACUUM ANALYZE t",
            "REINDEX TABLE t",
            "VACUUM FULL t",
            "TRUNCATE t",
        ):
            other.execute(text)
        assert stamp(live) == before
