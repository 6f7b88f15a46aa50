"""Whatever PostgreSQL refuses a plan for is told beforehand, with how many rows and which; nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.planning.busy import busy_relations
from novaops.planning.draft import draft
from novaops.planning.hazards import assess
from novaops.planning.plan import Hazard
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot


@dataclass(frozen=True, slots=True)
class Case:
    """From `old` to `new` PostgreSQL goes with the rows that `right` inserts, and not with those of `wrong` besides."""

    hazard: str
    subject: str
    rows: int
    """How many of the rows are in the way."""
    old: str
    new: str
    right: str
    wrong: str


TWO_COLUMNS = "CREATE TABLE t (a int, b text);"
PAIR, SPAN = "CREATE TYPE pair AS (x int, y int);", "CREATE TYPE span AS RANGE (SUBTYPE = int);"
MOOD = "CREATE TYPE mood AS ENUM ('sad');"
DAYS = "CREATE TABLE day (id int, during int4range);"
EVENTS = "CREATE TABLE event (day int, what text) PARTITION BY RANGE (day);"
OLD_EVENTS = f"{EVENTS} CREATE TABLE may (day int, what text);"
MAY = f"{EVENTS} CREATE TABLE may PARTITION OF event FOR VALUES FROM"
REST = "CREATE TABLE rest PARTITION OF event DEFAULT;"
HASHED = "CREATE TABLE h (id int) PARTITION BY HASH (id);"
DOMAIN = "CREATE DOMAIN positive AS int"
HOLDERS = "; CREATE DOMAIN price AS positive; CREATE TABLE t (a positive, b price);"
REFERRING = "CREATE TABLE k (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE t (x int, y int);"
FULL = "FOREIGN KEY (x, y) REFERENCES k MATCH FULL"
PRICES = "CREATE TABLE t (a numeric{});"

CASES = {
    "no array": Case(
        "check", "public.t.b", 1, TWO_COLUMNS, "CREATE TABLE t (a int, b text[]);",
        "INSERT INTO t VALUES (1, '{x}'), (2, NULL)", "INSERT INTO t VALUES (3, 'x')",
    ),
    "no row": Case(
        "check", "public.t.b", 2, f"{PAIR} {TWO_COLUMNS}", f"{PAIR} CREATE TABLE t (a int, b pair);",
        "INSERT INTO t VALUES (1, '(1,2)'), (2, NULL)", "INSERT INTO t VALUES (3, 'x'), (4, '{}')",
    ),
    "no range": Case(
        "check", "public.t.b", 1, f"{SPAN} {TWO_COLUMNS}", f"{SPAN} CREATE TABLE t (a int, b span);",
        "INSERT INTO t VALUES (1, '[1,2)'), (2, 'empty')", "INSERT INTO t VALUES (3, 'x')",
    ),
    "no label within an array": Case(
        "check", "public.t.b", 1, f"{MOOD} CREATE TABLE t (a int, b text[]);", f"{MOOD} CREATE TABLE t (a int, b mood[]);",
        "INSERT INTO t VALUES (1, '{sad,NULL}'), (2, '{}')", "INSERT INTO t VALUES (3, '{sad,glad}')",
    ),
    "another type of the same name": Case(
        "check", "public.t.b", 1, "CREATE DOMAIN mood AS text; CREATE TABLE t (a int, b mood);",
        "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (a int, b mood);",
        "INSERT INTO t VALUES (1, 'sad')", "INSERT INTO t VALUES (3, 'glad')",
    ),
    "NOT NULL of a child alone": Case(
        "not-null", "public.t.c", 1, "CREATE TABLE p (a int); CREATE TABLE t () INHERITS (p);",
        "CREATE TABLE p (a int, c int); CREATE TABLE t (c int NOT NULL) INHERITS (p);",
        "INSERT INTO p VALUES (1)", "INSERT INTO t VALUES (1)",
    ),
    "unique index": Case(
        "unique", "public.i", 2, TWO_COLUMNS, f"{TWO_COLUMNS} CREATE UNIQUE INDEX i ON t (a, b);",
        "INSERT INTO t VALUES (1, 'x'), (1, 'y'), (1, NULL), (1, NULL)", "INSERT INTO t VALUES (1, 'x')",
    ),
    "expression": Case(
        "unique", "public.i", 3, TWO_COLUMNS, f"{TWO_COLUMNS} CREATE UNIQUE INDEX i ON t (lower(b), (a % 2));",
        "INSERT INTO t VALUES (1, 'x'), (2, 'X')", "INSERT INTO t VALUES (3, 'X'), (5, 'x')",
    ),
    "predicate": Case(
        "unique", "public.i", 2, TWO_COLUMNS, f"{TWO_COLUMNS} CREATE UNIQUE INDEX i ON t (a) WHERE b = 'x';",
        "INSERT INTO t VALUES (1, 'x'), (1, 'y'), (1, 'z')", "INSERT INTO t VALUES (1, 'x')",
    ),
    "nulls not distinct": Case(
        "unique", "public.i", 2, TWO_COLUMNS, f"{TWO_COLUMNS} CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT;",
        "INSERT INTO t VALUES (1), (NULL)", "INSERT INTO t VALUES (NULL)",
    ),
    "children have keys of their own": Case(
        "unique", "t_a_key on public.t", 2, f"{TWO_COLUMNS} CREATE TABLE u () INHERITS (t);",
        "CREATE TABLE t (a int UNIQUE, b text); CREATE TABLE u () INHERITS (t);",
        "INSERT INTO t VALUES (1); INSERT INTO u VALUES (1), (1)", "INSERT INTO t VALUES (1)",
    ),
    "key of a partitioned table": Case(
        "unique", "may_pkey on public.may", 2, f"{MAY} (1) TO (9);",
        "CREATE TABLE event (day int PRIMARY KEY, what text) PARTITION BY RANGE (day);"
        " CREATE TABLE may PARTITION OF event FOR VALUES FROM (1) TO (9);",
        "INSERT INTO event VALUES (1), (2)", "INSERT INTO event VALUES (2)",
    ),
    "exclusion": Case(
        "unique", "x on public.day", 2, DAYS,
        f"{DAYS} ALTER TABLE day ADD CONSTRAINT x EXCLUDE USING gist (during WITH &&) WHERE (id > 0);",
        "INSERT INTO day VALUES (1, '[1,3]'), (2, '[4,5]'), (0, '[1,9]')", "INSERT INTO day VALUES (3, '[3,3]')",
    ),
    "exclusion of expressions": Case(
        "unique", "x on public.day", 2, DAYS,
        f"{DAYS} ALTER TABLE day ADD CONSTRAINT x EXCLUDE ((id % 2) WITH =, lower(during) WITH =);",
        "INSERT INTO day VALUES (1, '[1,3]'), (2, '[1,3]'), (2, NULL)", "INSERT INTO day VALUES (3, '[1,9]')",
    ),
    "partition": Case(
        "check", "public.may", 2, OLD_EVENTS, f"{MAY} (1) TO (9);",
        "INSERT INTO may VALUES (1), (8)", "INSERT INTO may VALUES (0), (NULL)",
    ),
    "other bound": Case(
        "check", "public.may", 1, f"{MAY} (1) TO (9);", f"{MAY} (1) TO (5);",
        "INSERT INTO may VALUES (1), (4)", "INSERT INTO may VALUES (5)",
    ),
    "default partition": Case(
        "check", "public.may", 1, f"{EVENTS} {REST}", f"{MAY} (1) TO (9); {REST}",
        "INSERT INTO event VALUES (0), (9), (NULL)", "INSERT INTO event VALUES (5)",
    ),
    "hash partition": Case(
        "check", "public.h0", 1, f"{HASHED} CREATE TABLE h0 (id int);",
        f"{HASHED} CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);",
        "INSERT INTO h0 SELECT n FROM generate_series(1, 9) AS n WHERE satisfies_hash_partition('h'::regclass, 2, 0, n)",
        "INSERT INTO h0 SELECT n FROM generate_series(1, 9) AS n WHERE satisfies_hash_partition('h'::regclass, 2, 1, n)"
        " LIMIT 1",
    ),
    "domain": Case(
        "check", "c on public.positive", 2, f"{DOMAIN}{HOLDERS}", f"{DOMAIN} CONSTRAINT c CHECK (VALUE > 0){HOLDERS}",
        "INSERT INTO t VALUES (1, 1), (NULL, NULL)", "INSERT INTO t VALUES (0, 0)",
    ),
    "column of a domain": Case(
        "check", "public.t.a", 1, f"{DOMAIN} CHECK (VALUE > 0); CREATE TABLE t (a bigint);",
        f"{DOMAIN} CHECK (VALUE > 0); CREATE TABLE t (a positive);",
        "INSERT INTO t VALUES (1), (NULL)", "INSERT INTO t VALUES (0)",
    ),
    "partly NULL in a MATCH FULL key": Case(
        "foreign-key", "f on public.t", 2, REFERRING, f"{REFERRING} ALTER TABLE t ADD CONSTRAINT f {FULL};",
        "INSERT INTO k VALUES (1, 1); INSERT INTO t VALUES (1, 1), (NULL, NULL)", "INSERT INTO t VALUES (1, NULL), (NULL, 9)",
    ),
    "MATCH FULL to a new table": Case(
        "foreign-key", "f on public.t", 2, "CREATE TABLE t (x int, y int);",
        f"{REFERRING} ALTER TABLE t ADD CONSTRAINT f {FULL};",
        "INSERT INTO t VALUES (NULL, NULL)", "INSERT INTO t VALUES (1, 1), (1, NULL)",
    ),
    "key whose values become the same": Case(
        "unique", "t_pkey on public.t", 2, PRICES.format("(10,4) PRIMARY KEY"), PRICES.format("(10,1) PRIMARY KEY"),
        "INSERT INTO t VALUES (1.5), (2)", "INSERT INTO t VALUES (1.51)",
    ),
    "unique index whose values become the same": Case(
        "unique", "public.i", 2, PRICES.format("(10,4)") + "CREATE UNIQUE INDEX i ON t ((a + 1)) WHERE a > 0;",
        PRICES.format("(10,1)") + "CREATE UNIQUE INDEX i ON t ((a + 1)) WHERE a > 0;",
        "INSERT INTO t VALUES (1.5), (-1.5)", "INSERT INTO t VALUES (1.51), (-1.51)",
    ),
    "check of values that change": Case(
        "check", "t_a_check on public.t", 1, PRICES.format("(10,4) CHECK (a > 0)"), PRICES.format("(10,1) CHECK (a > 0)"),
        "INSERT INTO t VALUES (1.5)", "INSERT INTO t VALUES (0.01)",
    ),
    "key that refers to what changes": Case(
        "foreign-key", "t_b_fkey on public.u", 1, f"{PRICES.format('(10,4) UNIQUE')} CREATE TABLE u (b numeric(10,4));",
        f"{PRICES.format('(10,1) UNIQUE')} CREATE TABLE u (b numeric(10,4), CONSTRAINT t_b_fkey FOREIGN KEY (b) REFERENCES t (a));",
        "INSERT INTO t VALUES (1.5); INSERT INTO u VALUES (1.5)", "INSERT INTO t VALUES (2.51); INSERT INTO u VALUES (2.51)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rows(new_database: Callable[..., str], name: str) -> None:
    case = CASES[name]
    desired = declared(new_database(), case.new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(case.old)
        connection.execute(case.right)
        assert told(connection, desired, carry_out=True) == []
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(case.old)
        connection.execute(case.right)
        connection.execute(case.wrong)
        found = [h for h in told(connection, desired) if h.hazard != "narrowing"]
        assert [(h.hazard, h.object) for h in found] == [(case.hazard, case.subject)]
        assert found[0].affected == case.rows
        assert connection.execute(found[0].query or "").fetchall()
        with pytest.raises(psycopg.Error):
            told(connection, desired, carry_out=True)


def test_labels_in_use(new_database: Callable[..., str]) -> None:
    tables = "CREATE TABLE t (a e); CREATE TABLE u (b e[]);"
    desired = declared(new_database(), f"CREATE TYPE e AS ENUM ('y'); {tables}")
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"CREATE TYPE e AS ENUM ('x', 'y'); {tables}")
        connection.execute("INSERT INTO t VALUES ('y'); INSERT INTO u VALUES ('{y,y}')")
        assert told(connection, desired) == []
        connection.execute("INSERT INTO t VALUES ('x'), ('x'); INSERT INTO u VALUES ('{y,x}')")
        found = told(connection, desired)
        assert [(h.hazard, h.object, h.message) for h in found] == [
            ("narrowing", "public.e", "loses 3 values"),
            ("check", "public.e", "3 values would be no label any more"),
        ]
        shown = [("public.t.a", "x"), ("public.t.a", "x"), ("public.u.b", "{y,x}")]
        assert connection.execute(found[0].query or "").fetchall() == shown
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            told(connection, desired, carry_out=True)


ADDED = {
    "check on a default": ("b int DEFAULT 0 CHECK (b > 0)", "check", 2),
    "check on NULL": ("b int CHECK (b IS NOT NULL)", "check", 2),
    "check on two columns": ("b int DEFAULT 2, CHECK (b > a)", "check", 1),
    "check on a generated column": ("b int GENERATED ALWAYS AS (a * 2) STORED CHECK (b < 6)", "check", 1),
    "unique default": ("b int DEFAULT 1 UNIQUE", "unique", 2),
    "unique beside what differs": ("b int DEFAULT 1, UNIQUE (a, b)", None, 0),
    "unique NULLs": ("b int UNIQUE", None, 0),
    "unique numbers": ("b serial UNIQUE", None, 0),
    "reference of a default": ("b int DEFAULT 7 REFERENCES k", "foreign-key", 2),
    "reference of NULL": ("b int REFERENCES k", None, 0),
    "reference that is kept": ("b int DEFAULT 1 REFERENCES k", None, 0),
    "check that holds": ("b int DEFAULT 1 CHECK (b > 0)", None, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ADDED)
def test_columns_that_are_added(new_database: Callable[..., str], name: str) -> None:
    added, hazard, rows = ADDED[name]
    key = "CREATE TABLE k (id int PRIMARY KEY);"
    desired = declared(new_database(), f"{key} CREATE TABLE t (a int, {added});")
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"{key} INSERT INTO k VALUES (1); CREATE TABLE t (a int);")
        assert told(connection, desired) == []
        connection.execute("INSERT INTO t VALUES (1), (3)")
        found = told(connection, desired)
        assert [(h.hazard, h.affected) for h in found] == ([(hazard, rows)] if hazard else [])
        if hazard:
            assert len(connection.execute(found[0].query or "").fetchall()) >= 1
            with pytest.raises(psycopg.errors.IntegrityError):
                told(connection, desired, carry_out=True)
        else:
            told(connection, desired, carry_out=True)


UNKNOWN = {
    "default of each row": "CREATE TABLE t (a int, b float DEFAULT random() CHECK (b > 0));",
    "function that the plan makes": (
        "CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS 'SELECT true'; CREATE TABLE t (a int CHECK (f(a)));"
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_told(new_database: Callable[..., str], name: str) -> None:
    desired = declared(new_database(), UNKNOWN[name])
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int)")
        for rows, unknown in (("SELECT", []), ("INSERT INTO t VALUES (1)", ["t_b_check", "t_a_check"])):
            connection.execute(rows)
            live = snapshot(connection)
            busy = busy_relations(draft(live, desired, EVERYTHING, MANAGED), connection)
            made = draft(live, desired, EVERYTHING, MANAGED, busy=busy)
            found = assess(made.changes, made.scene, connection)
            assert found.hazards == {}
            assert [subject.split()[0] in unknown for subject in found.unknown] == [True] * bool(unknown)


@pytest.mark.parametrize("check", ["a > 'lo'", "a >= a"])
def test_a_check_that_compares_labels_in_another_order(new_database: Callable[..., str], check: str) -> None:
    made = f"CREATE TYPE m AS ENUM ({{}}); CREATE TABLE t (a m, CHECK ({check}));"
    desired = declared(new_database(), made.format("'hi', 'lo'"))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(made.format("'lo', 'hi'"))
        connection.execute("INSERT INTO t VALUES ('hi')")
        tables = frozenset({Address("table", ("public", "t"))})
        changes = draft(snapshot(connection), desired, EVERYTHING, MANAGED, busy=tables)
        found = assess(changes.changes, changes.scene, connection)
        assert found.unknown == ["t_a_check on public.t"]
        assert [h.consent for h in found.hazards[Address("type", ("public.m",))]] == ["behaviour:public.m"]
        if "lo" in check:
            with pytest.raises(psycopg.errors.CheckViolation):
                execute(connection, changes)


@pytest.mark.since(18, "WITHOUT OVERLAPS")
def test_temporal_key(new_database: Callable[..., str]) -> None:
    desired = declared(
        new_database(),
        "CREATE TABLE day (id int4range, during int4range, UNIQUE (id, during WITHOUT OVERLAPS))",
    )
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute("CREATE TABLE day (id int4range, during int4range)")
        connection.execute(
            "INSERT INTO day VALUES ('[1,1]', '[1,3]'), ('[1,1]', '[4,5]'), ('[2,2]', '[1,9]')"
        )
        assert told(connection, desired) == []
        connection.execute("INSERT INTO day VALUES ('[1,1]', '[3,4]')")
        assert [(h.hazard, h.affected) for h in told(connection, desired)] == [("unique", 3)]
        connection.execute("DELETE FROM day; INSERT INTO day VALUES ('[1,1]', 'empty')")
        assert [(h.hazard, h.affected) for h in told(connection, desired)] == [("unique", 1)]
        with pytest.raises(psycopg.Error, match="empty WITHOUT OVERLAPS"):
            told(connection, desired, carry_out=True)


@pytest.mark.parametrize(
    ("wrong", "hazard", "message"),
    [
        ("(9, 'x')", "check", "1 row would belong to no partition"),
        ("(NULL, 'x')", "check", "1 row would belong to no partition"),
        ("(2, 'z')", "check", "1 row would belong to no partition"),
        ("(1, 'x')", "unique", "2 rows would have a key in common"),
        ("(2, 'y'), (3, 'y')", "check", "1 row would violate it"),
    ],
)
def test_a_table_made_anew(new_database: Callable[..., str], wrong: str, hazard: str, message: str) -> None:
    desired = declared(
        new_database(),
        "CREATE TABLE t (a int, b text, UNIQUE (a, b), CHECK (a <> 3)) PARTITION BY RANGE (a);"
        "CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (5) PARTITION BY LIST (b);"
        "CREATE TABLE q PARTITION OF p FOR VALUES IN ('x', 'y');",
    )
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(TWO_COLUMNS)
        connection.execute("INSERT INTO t VALUES (1, 'x'), (1, 'y')")
        assert {h.hazard for h in told(connection, desired, busy="t")} == {"offline"}
        connection.execute(f"INSERT INTO t VALUES {wrong}")
        found = [h for h in told(connection, desired, busy="t") if h.hazard != "offline"]
        assert [(h.hazard, h.message) for h in found] == [(hazard, message)]
        assert connection.execute(found[0].query or "").fetchall()
        with pytest.raises(psycopg.Error):
            told(connection, desired, busy="t", carry_out=True)


def declared(url: str, text: str) -> Snapshot:
    with psycopg.connect(url) as connection:
        connection.execute(text)
        return read(connection, list(registry().values()), alone=True)


def told(
    connection: psycopg.Connection, desired: Snapshot, *, busy: str = "", carry_out: bool = False
) -> list[Hazard]:
    tables = frozenset({Address("table", ("public", busy))}) if busy else frozenset()
    made = draft(snapshot(connection), desired, EVERYTHING, MANAGED, busy=tables)
    found = assess(made.changes, made.scene, connection, comparison=MANAGED).hazards
    if carry_out:
        execute(connection, made)
    return [hazard for hazards in found.values() for hazard in hazards]
