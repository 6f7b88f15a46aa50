"""What is there before a plan and after it is there at every commit in between, or a gap says that it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import psycopg
import pytest

from novaops.catalog.snapshot import Snapshot
from novaops.db.locks import LockTable
from novaops.planning.busy import busy_relations
from novaops.planning.diff import diff
from novaops.planning.draft import Draft, draft
from novaops.planning.nodes import kind_of
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, snapshot

Connection = psycopg.Connection[Any]

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


def present(state: Snapshot) -> set[object]:
    """What people rely on: objects, the names by which relations are reached, and privileges."""
    found: set[object] = set(state.objects)
    for obj in state:
        found.update(("name", *name) for name in kind_of(obj).names(obj))
        found.update((obj.identity, p.grantee, p.privilege) for p in obj.privileges or ())
    return found


def missing(url: str, connection: Connection, made: Draft) -> Iterator[tuple[int, set[object]]]:
    """Run the draft; yields after each commit how many statements ran and what another session misses."""
    before, after = present(made.scene.live), present(made.scene.desired)
    ran = 0
    with psycopg.connect(url, autocommit=True) as other:
        for number, group in groupby(zip(made.numbers, made.written, strict=True), key=lambda each: each[0]):
            statements = [written.step.sql for _, written in group]
            if number is None:
                for statement in statements:
                    connection.execute(statement)
            else:
                with connection.transaction():
                    for statement in statements:
                        connection.execute(statement)
            ran += len(statements)
            yield ran, (before & after) - present(snapshot(other))


def unnamed(url: str, connection: Connection, made: Draft) -> list[tuple[int, object]]:
    """What is missing at a commit and in no gap of the draft."""
    left = []
    for ran, lost in missing(url, connection, made):
        known: set[object] = set()
        for gap in made.gaps:
            if gap.taken < ran <= gap.given:
                obj = gap.object
                parts = [obj.address, *(a for a in made.scene.live.objects if a.names[: len(obj.address.names)] == obj.address.names)]
                known.update(parts)
                known.update(("name", *name) for name in kind_of(obj).names(obj))
                known.update(entry for entry in lost if isinstance(entry, tuple) and entry[0] == obj.identity)
        left += [(ran, entry) for entry in lost - known]
    return left


@pytest.fixture
def planned(new_database: Callable[..., str]) -> Iterator[Callable[..., tuple[str, Connection, Draft, Snapshot]]]:
    """`planned(old, new, room=…)` is a database with `old` and the draft of what leads to `new`."""
    opened = []

    def run(old: str, new: str, room: int = LockTable().room) -> tuple[str, Connection, Draft, Snapshot]:
        current, goal = new_database("gaps"), new_database("gaps")
        with psycopg.connect(goal, autocommit=True) as connection:
            connection.execute(new)
            desired = snapshot(connection)
        connection = psycopg.connect(current, autocommit=True)
        opened.append(connection)
        connection.execute(old)
        connection.execute("SET check_function_bodies = off")
        live = snapshot(connection)
        busy = busy_relations(draft(live, desired, EVERYTHING, MANAGED), connection)
        return current, connection, draft(live, desired, EVERYTHING, MANAGED, busy=busy, room=room), desired

    yield run
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_missing_at_a_commit(
    planned: Callable[..., tuple[str, Connection, Draft, Snapshot]], case: str
) -> None:
    for old, new in (CASES[case], tuple(reversed(CASES[case]))):
        url, connection, made, desired = planned(old, new)
        assert made.gaps == ()
        assert [lost for lost in missing(url, connection, made) if lost[1]] == []
        assert diff(snapshot(connection), desired, EVERYTHING, MANAGED) == {}


def test_nor_where_the_lock_table_is_small(
    planned: Callable[..., tuple[str, Connection, Draft, Snapshot]],
) -> None:
    """The views and policies of each table are rebuilt in one transaction with the table's change."""
    tables = "".join(
        f"CREATE TABLE t{n} (id int PRIMARY KEY, a int); ALTER TABLE t{n} ENABLE ROW LEVEL SECURITY;"
        f" CREATE POLICY p ON t{n} AS RESTRICTIVE USING (a = 1); CREATE VIEW v{n} AS SELECT a FROM t{n};"
        f" INSERT INTO t{n} VALUES (1, 1);"
        for n in range(9)
    )
    url, connection, made, desired = planned(tables, tables.replace("a int", "a bigint"), room=12)
    assert made.full > 4
    assert made.gaps == ()
    assert [lost for lost in missing(url, connection, made) if lost[1]] == []
    assert diff(snapshot(connection), desired, EVERYTHING, MANAGED) == {}
