"""What is there before a plan and after it is there at every commit in between, or a gap says that it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.integration.convergence.gaps import Planned, planned

SECRETS = """
CREATE TABLE secrets (id int PRIMARY KEY, tenant int); CREATE TABLE logs (id int, m mood);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON secrets USING (true);
CREATE POLICY r ON secrets AS RESTRICTIVE USING (tenant = 1); GRANT SELECT ON secrets TO PUBLIC;
CREATE VIEW v AS SELECT tenant FROM secrets; GRANT SELECT ON v TO PUBLIC;
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER a AFTER UPDATE OF tenant ON secrets EXECUTE FUNCTION audit();
ALTER TABLE secrets ALTER tenant SET DEFAULT 1, ADD CHECK (tenant > 0);
CREATE PUBLICATION pub FOR TABLE secrets WHERE (tenant = 1);
INSERT INTO secrets VALUES (1, 1), (2, 2); INSERT INTO logs VALUES (1, 'a');
"""
LABEL = (
    "CREATE TYPE mood AS ENUM ('a', 'b');" + SECRETS,
    "CREATE TYPE mood AS ENUM ('a', 'b', 'c');"
    + SECRETS.replace("tenant int", "tenant bigint").replace("m mood", "m mood, n int"),
)
DELAYED_KEY = (
    "CREATE TABLE t (id int PRIMARY KEY, a text); CREATE TABLE c (id int CONSTRAINT cf REFERENCES t);"
    " INSERT INTO t VALUES (1); INSERT INTO c VALUES (1)",
    "CREATE TABLE t (id int PRIMARY KEY, a text, k int GENERATED ALWAYS AS (id) STORED UNIQUE);"
    " CREATE TABLE c (id int CONSTRAINT cf REFERENCES t (k)); INSERT INTO t VALUES (1); INSERT INTO c VALUES (1)",
)
GROUPED = (
    "CREATE TABLE t (id int CONSTRAINT tk PRIMARY KEY, a text);"
    " CREATE VIEW v AS SELECT id, a, count(*) FROM t GROUP BY id; GRANT SELECT ON v TO PUBLIC;"
    " CREATE VIEW v2 AS SELECT a FROM v; INSERT INTO t VALUES (1)",
    "CREATE TABLE t (id int NOT NULL, a text, k int GENERATED ALWAYS AS (id) STORED CONSTRAINT tk PRIMARY KEY);"
    " CREATE VIEW v AS SELECT k AS id, a, count(*) FROM t GROUP BY k; GRANT SELECT ON v TO PUBLIC;"
    " CREATE VIEW v2 AS SELECT a FROM v; INSERT INTO t VALUES (1)",
)
OTHER_KEY = (
    "CREATE TABLE t (id int PRIMARY KEY, k int); CREATE TABLE c (x int CONSTRAINT cf REFERENCES t);"
    " INSERT INTO t VALUES (1, 1); INSERT INTO c VALUES (1)",
    "CREATE TABLE t (id int NOT NULL, k int CONSTRAINT tk PRIMARY KEY);"
    " CREATE TABLE c (x int CONSTRAINT cf REFERENCES t (k)); INSERT INTO t VALUES (1, 1); INSERT INTO c VALUES (1)",
)
CONVERTED_KEY = (
    "CREATE TABLE t (id int PRIMARY KEY, k int, CONSTRAINT tk UNIQUE (k)); CREATE TABLE c (x int CONSTRAINT cf REFERENCES t (k));"
    " INSERT INTO t VALUES (1, 1); INSERT INTO c VALUES (1)",
    "CREATE TABLE t (id int PRIMARY KEY, k bigint, CONSTRAINT tk UNIQUE (k, id), CONSTRAINT tk2 UNIQUE (k));"
    " CREATE TABLE c (x bigint CONSTRAINT cf REFERENCES t (k)); INSERT INTO t VALUES (1, 1); INSERT INTO c VALUES (1)",
)
PARTITION = (
    "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (id int, k int) PARTITION BY RANGE (id);"
    " CREATE TABLE t1 (id int, k int); ALTER TABLE t ATTACH PARTITION t1 DEFAULT;"
    " CREATE TABLE log (m mood); INSERT INTO t SELECT generate_series(1, 9); INSERT INTO log VALUES ('a')",
    "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (id int, k int) PARTITION BY RANGE (k);"
    " CREATE TABLE t1 (id int, k int); ALTER TABLE t ATTACH PARTITION t1 DEFAULT;"
    " CREATE TABLE log (m mood, n int); INSERT INTO t SELECT generate_series(1, 9); INSERT INTO log VALUES ('a')",
)
KIND = (
    "CREATE TABLE t (id int PRIMARY KEY, a text); CREATE VIEW v AS SELECT id, a FROM t; INSERT INTO t VALUES (1)",
    "CREATE TABLE t (id int PRIMARY KEY, a text, b int GENERATED ALWAYS AS (id) STORED CONSTRAINT tb UNIQUE);"
    " CREATE MATERIALIZED VIEW v AS SELECT id, a, b, count(*) FROM t GROUP BY id; INSERT INTO t VALUES (1)",
)
CASES = {
    "label": LABEL, "delayed key": DELAYED_KEY, "grouped view": GROUPED, "other key": OTHER_KEY,
    "converted key": CONVERTED_KEY, "partition": PARTITION, "view of another kind": KIND,
}  # fmt: skip


@pytest.fixture
def plan(new_database: Callable[..., str]) -> Iterator[Callable[..., Planned]]:
    """`plan(old, new, room=…)` is the draft of what leads a database with `old` to `new`."""
    opened: list[Planned] = []

    def run(*texts: str, **room: int) -> Planned:
        opened.append(planned(new_database("gaps"), new_database("gaps"), *texts, **room))
        return opened[-1]

    yield run
    for each in opened:
        each.connection.close()


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_missing_at_a_commit(plan: Callable[..., Planned], case: str) -> None:
    for texts in (CASES[case], tuple(reversed(CASES[case]))):
        made = plan(*texts)
        assert made.draft.gaps == ()
        assert made.missing() == []
        assert made.left() == []


def test_nor_where_the_lock_table_is_small(plan: Callable[..., Planned]) -> None:
    """The views and policies of each table are rebuilt in one transaction with the table's change."""
    tables = "".join(
        f"CREATE TABLE t{n} (id int PRIMARY KEY, a int); ALTER TABLE t{n} ENABLE ROW LEVEL SECURITY;"
        f" CREATE POLICY p ON t{n} AS RESTRICTIVE USING (a = 1); CREATE VIEW v{n} AS SELECT a FROM t{n};"
        f" INSERT INTO t{n} VALUES (1, 1);"
        for n in range(9)
    )
    made = plan(tables, tables.replace("a int", "a bigint"), room=12)
    assert made.draft.full > 4
    assert made.draft.gaps == ()
    assert made.missing() == []
    assert made.left() == []


IDENTITY = (
    "CREATE TABLE t (id {}, n int, g int DEFAULT {}{}); {} INSERT INTO t (n) SELECT generate_series(1, 9)"
)


@pytest.mark.parametrize(
    ("before", "after", "index"),
    [
        (
            "serial PRIMARY KEY",
            "int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "CREATE INDEX ON t (n, id);",
        ),
        (
            "serial PRIMARY KEY",
            "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "CREATE INDEX ON t (n, id);",
        ),
        ("int DEFAULT 5", "int GENERATED BY DEFAULT AS IDENTITY", "CREATE UNIQUE INDEX ON t (n, id);"),
    ],
)
def test_an_identity_takes_the_place_of_a_default_at_once(
    plan: Callable[..., Planned], before: str, after: str, index: str
) -> None:
    """Whoever inserts a row meanwhile gets a number for it."""
    texts = IDENTITY.format(before, 7, "", ""), IDENTITY.format(after, 8, ", UNIQUE (n, g)", index)
    for old, new in (texts, reversed(texts)):
        made = plan(old, new)
        numbers = {
            number
            for number, written in zip(made.draft.numbers, made.draft.written, strict=True)
            if written.object.address.names[-2:] == ("t", "id")
            and any(word in written.step.sql for word in ("DEFAULT", "IDENTITY"))
        }
        assert len(numbers) == 1
        assert new == texts[0] or any("CONCURRENTLY" in written.step.sql for written in made.draft.written)
        assert made.missing() == []
        assert made.left() == []
