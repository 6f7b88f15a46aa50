"""What a statement destroys is told by its text; what the parser does not know is never harmless."""

from __future__ import annotations

import pytest

from novaops.desired.destructive import LOSS, UNKNOWN, Judgement, judge
from novaops.desired.split import File, Statement, split


def judged(sql: str) -> Judgement:
    (statement,) = split(File.of("0001.sql", sql))
    assert isinstance(statement, Statement)
    return judge(statement)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DROP TABLE a", "DROP TABLE"),
        ("DROP TABLE IF EXISTS a, b CASCADE", "DROP TABLE"),
        ("DROP SCHEMA s CASCADE", "DROP SCHEMA"),
        ("DROP EXTENSION vector CASCADE", "DROP EXTENSION"),
        ("DROP DOMAIN d", "DROP DOMAIN"),
        ("DROP OWNED BY r", "DROP OWNED"),
        ("DROP VIEW v CASCADE", "DROP VIEW … CASCADE drops whatever depends on it"),
        ("ALTER TABLE a DROP COLUMN b", "DROP COLUMN"),
        ("ALTER TABLE a ADD COLUMN c int, DROP b", "DROP COLUMN"),
        ("ALTER TABLE a ALTER COLUMN b TYPE int USING b::int", "column b of a gets another type"),
        ("TRUNCATE a, b", "TRUNCATE removes all rows of a, b"),
        ("DELETE FROM a WHERE b = 1", "DELETE removes rows of a"),
        ("UPDATE s.a AS x SET b = 1", "UPDATE without WHERE overwrites all rows of s.a"),
        ("UPDATE a SET b = c.b FROM c", "UPDATE without WHERE overwrites all rows of a"),
        ("WITH d AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM d", "DELETE removes rows of a"),
        (
            "WITH u AS (UPDATE a SET b = 1 RETURNING *) SELECT * FROM u",
            "UPDATE without WHERE overwrites all rows of a",
        ),
        ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", "MERGE removes rows of a"),
        ('/* DELETE */ delete -- where\nfrom "A b"', 'DELETE removes rows of "A b"'),
    ],
)
def test_destroys(sql: str, what: str) -> None:
    assert (judged(sql).hazard, judged(sql).what) == (LOSS, what)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE a SET b = 1 WHERE b IS NULL",
        "INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET y = excluded.y",
        "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN UPDATE SET c = 1",
        "ALTER TABLE a RENAME COLUMN b TO c",
        "ALTER TABLE a ADD COLUMN b int, ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE a DROP CONSTRAINT c",
        "CREATE TABLE a (b int DEFAULT f())",
        "CREATE VIEW v AS SELECT f()",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM a $$",
        "CREATE INDEX CONCURRENTLY i ON a (b)",
        "DROP INDEX CONCURRENTLY i",
        "DROP VIEW v",
        "COMMENT ON TABLE a IS 'DROP TABLE a'",
        "GRANT SELECT ON a TO b",
        "SET search_path = x",
        "RESET ALL",
        "VACUUM a",
        "LOCK TABLE a",
        "SELECT 'DELETE FROM a'",
        "CREATE TABLE a (b int REFERENCES c ON DELETE CASCADE)",
    ],
)
def test_is_harmless(sql: str) -> None:
    found = judged(sql)
    assert (found.hazard, found.opaque) == (None, frozenset())


@pytest.mark.parametrize(
    "sql",
    [
        "DO $$ BEGIN DELETE FROM a; END $$",
        "CALL p()",
        "ALTER TYPE mood ADD VALUE 'b'",
        "ALTER TABLE a DETACH PARTITION b",
        "CREATE EXTENSION vector",
        "EXPLAIN ANALYZE DELETE FROM a",
        "REVOKE SELECT ON a FROM b",
        "COPY a FROM '/etc/hosts'",
        "this is no SQL",
        "CLUSTER a",
    ],
)
def test_is_unknown(sql: str) -> None:
    found = judged(sql)
    assert found.hazard == UNKNOWN
    assert found.what.endswith("what it does cannot be told from its text")


@pytest.mark.parametrize(
    ("sql", "opaque"),
    [
        ("SELECT fix()", {"fix"}),
        ("SELECT public.fix(1)", {"fix"}),
        ('SELECT "Fix"()', {"Fix"}),
        ("UPDATE a SET b = fix(b) WHERE c", {"fix"}),
        ("CREATE TABLE a AS SELECT fix() FROM b", {"fix"}),
        ("CREATE MATERIALIZED VIEW v AS SELECT fix()", {"fix"}),
        ("ALTER TABLE a ADD COLUMN b int DEFAULT fix()", {"fix"}),
    ],
)
def test_calls_that_the_parser_does_not_know_are_opaque(sql: str, opaque: set[str]) -> None:
    found = judged(sql)
    assert (found.hazard, found.opaque) == (None, opaque)
    assert opaque <= found.calls


def test_calls_are_told_by_tokens_too() -> None:
    # For the parser soundex() is a function of SQL; somebody may have made one of that name.
    assert judged("SELECT soundex(a) FROM b") == Judgement(calls=frozenset({"soundex"}))
