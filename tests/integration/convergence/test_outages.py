"""What would keep others waiting is told where a table is large, and is what the server then does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from novaops.catalog.address import Address
from novaops.catalog.snapshot import Snapshot
from novaops.planning.busy import busy_relations
from novaops.planning.draft import Draft, draft
from novaops.planning.outages import SAFE_BELOW, Sizes, outages
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, execute, snapshot
from tests.integration.convergence.test_rows_in_the_way import declared

ENUM = "CREATE TYPE e AS ENUM ({})"
DOMAINS = "CREATE DOMAIN free AS text; CREATE DOMAIN strict AS text CHECK (VALUE <> '')"
FILES = "SELECT oid::regclass::text, relfilenode FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace"
LARGE = "INSERT INTO t (id) SELECT generate_series(1, 3000)"
SIZE = re.compile(r"\d+(?= kB)")

TYPES = [
    ("varchar(10)", "varchar(20)", False),
    ("varchar(20)", "varchar(10)", True),
    ("varchar(10)", "text", False),
    ("text", "varchar", False),
    ("text", "varchar(10)", True),
    ("numeric(5,2)", "numeric(7,2)", False),
    ("numeric(5,2)", "numeric", False),
    ("numeric(5,2)", "numeric(9,4)", True),
    ("numeric", "numeric(5,2)", True),
    ("timestamp(3)", "timestamp(6)", False),
    ("timestamp", "timestamp(6)", False),
    ("timestamp(6)", "timestamp(3)", True),
    ("time(3)", "time", False),
    ("char(3)", "char(5)", True),
    ("bit varying(3)", "bit varying(5)", False),
    ("interval(3)", "interval", False),
    ("varchar(10)[]", "varchar[]", False),
    ("varchar(10)[]", "varchar(20)[]", True),
    ("int", "bigint", True),
    ("int", "oid", False),
    ("int", "text", True),
    ("cidr", "inet", False),
    ("xml", "text", False),
    ("bpchar", "text", True),
    ("text", "free", False),
    ("free", "text", False),
    ("text", "strict", True),
    ("text", 'text COLLATE "C"', False),
    ("e", "e", True),  # made anew with other labels
]
COLUMNS = [
    ("int", False),
    ("int DEFAULT 1", False),
    ("int NOT NULL DEFAULT 1", False),
    ("timestamptz DEFAULT now()", False),
    ("timestamptz DEFAULT clock_timestamp()", True),
    ("float8 DEFAULT 1 + random()", True),
    ("bigserial", True),
    ("int GENERATED ALWAYS AS IDENTITY", True),
    ("int GENERATED ALWAYS AS (a + 1) STORED", True),
    ("free DEFAULT 'x'", False),
    ("strict DEFAULT 'x'", True),
]


def drafted(connection: psycopg.Connection[Any], desired: Snapshot) -> Draft:
    """The draft that is gentle to tables with rows, as for a plan."""
    live = snapshot(connection)
    busy = busy_relations(draft(live, desired, EVERYTHING, MANAGED), connection)
    return draft(live, desired, EVERYTHING, MANAGED, busy=busy)


def told(connection: psycopg.Connection[Any], made: Draft, safe_below: int = SAFE_BELOW) -> dict[str, str]:
    found = outages(made, Sizes(connection), safe_below)
    return {h.consent: h.message for hazards in found for h in hazards}


TABLES = [
    ("CREATE TABLE {t} (a int)", "CREATE UNLOGGED TABLE {t} (a int)", True),
    ("CREATE UNLOGGED TABLE {t} (a int)", "CREATE TABLE {t} (a int)", True),
    ("CREATE TABLE {t} (a int)", "CREATE TABLE {t} (a int DEFAULT random())", False),
    ("CREATE TABLE {t} (a int)", "CREATE TABLE {t} (a int) WITH (fillfactor = 50)", False),
    *(
        (f"CREATE TABLE {{t}} (a {old})", f"CREATE TABLE {{t}} (a {new})", written)
        for old, new, written in TYPES
    ),
    *(
        ("CREATE TABLE {t} (a int)", f"CREATE TABLE {{t}} (a int, b {column})", written)
        for column, written in COLUMNS
    ),
]


def test_what_is_told_is_what_is_written_anew(new_database: Callable[..., str]) -> None:
    """One row is too little to ask for, but the server shows the same with it as with a million."""
    names = [f"t{number}" for number in range(len(TABLES))]
    old = [case[0].format(t=name) for case, name in zip(TABLES, names, strict=True)]
    new = [case[1].format(t=name) for case, name in zip(TABLES, names, strict=True)]
    desired = declared(new_database(), "; ".join([DOMAINS, ENUM.format("'y'"), *new]))
    with psycopg.connect(new_database(), autocommit=True) as connection:
        rows = [f"INSERT INTO {name} DEFAULT VALUES" for name in names]
        connection.execute("; ".join([DOMAINS, ENUM.format("'x', 'y'"), *old, *rows]))
        made = drafted(connection, desired)
        assert told(connection, made) == {}
        expected = {f"public.{name}" for name, case in zip(names, TABLES, strict=True) if case[2]}
        assert set(told(connection, made, safe_below=0)) == {f"rewrite:{table}" for table in expected}
        before = dict(connection.execute(FILES).fetchall())
        execute(connection, made)
        after = dict(connection.execute(FILES).fetchall())
        assert {f"public.{table}" for table in before if before[table] != after[table]} == expected


def test_a_large_table_and_one_that_was(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), "CREATE TABLE t (id bigint PRIMARY KEY, a int)")
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, a int)")
        connection.execute(LARGE)
        made = drafted(connection, desired)
        ((consent, message),) = told(connection, made).items()
        assert consent == "rewrite:public.t"
        assert SIZE.sub("…", message) == (
            "rewrites public.t, … kB, under ACCESS EXCLUSIVE: less than a second at 40 MB/s"
        )
        assert told(connection, made, safe_below=1 << 20) == {}
        connection.execute("DELETE FROM t")
        assert told(connection, made, safe_below=0) == {}


def test_children_count(new_database: Callable[..., str]) -> None:
    parts = " CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9999);"
    desired = declared(new_database(), f"CREATE TABLE t (id int, a bigint) PARTITION BY RANGE (id);{parts}")
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE t (id int, a int) PARTITION BY RANGE (id);{parts}")
        connection.execute(LARGE)
        assert list(told(connection, drafted(connection, desired))) == ["rewrite:public.t"]


SCANS = {
    "table that is attached": (
        "CREATE TABLE r (id int, a int) PARTITION BY RANGE (id); CREATE TABLE t (id int, a int);",
        "CREATE TABLE r (id int, a int) PARTITION BY RANGE (id);"
        " CREATE TABLE t PARTITION OF r FOR VALUES FROM (0) TO (9999);",
    ),
    "default partition": (
        "CREATE TABLE r (id int, a int) PARTITION BY RANGE (id); CREATE TABLE t PARTITION OF r DEFAULT;",
        "CREATE TABLE r (id int, a int) PARTITION BY RANGE (id); CREATE TABLE t PARTITION OF r DEFAULT;"
        " CREATE TABLE s PARTITION OF r FOR VALUES FROM (9000) TO (9999);",
    ),
    "checked again": (
        "CREATE TABLE t (id int, a varchar(9) CHECK (a <> ''));",
        "CREATE TABLE t (id int, a varchar(10) CHECK (a <> ''));",
    ),
    "index of another collation": (
        "CREATE TABLE t (id int, a text); CREATE INDEX i ON t (a);",
        'CREATE TABLE t (id int, a text COLLATE "C"); CREATE INDEX i ON t (a);',
    ),
    "domain": (
        "CREATE DOMAIN d AS int; CREATE TABLE t (id d, a int);",
        "CREATE DOMAIN d AS int CHECK (VALUE > 0); CREATE TABLE t (id d, a int);",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCANS)
def test_scan(new_database: Callable[..., str], name: str) -> None:
    old, new = SCANS[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        made = drafted(connection, desired)
        connection.execute(LARGE)
        assert list(told(connection, made)) == ["long-scan:public.t"]
        files = connection.execute(FILES).fetchall()
        assert scans(connection, made) > 0
        assert set(files) <= set(connection.execute(FILES).fetchall())
        connection.execute("TRUNCATE t")
        assert told(connection, made, safe_below=0) == {}


def scans(connection: psycopg.Connection[Any], made: Draft) -> int:
    """How often the statements read all of table t, in a transaction that is rolled back."""
    with connection.transaction(force_rollback=True):
        execute(connection, replace(made, numbers=(1,) * len(made.numbers)))
        row = connection.execute("SELECT seq_scan FROM pg_stat_xact_all_tables WHERE relid = 't'::regclass")
        return (row.fetchone() or (0,))[0]


OFFLINE = {
    "exclusion constraint": (
        "CREATE TABLE t (id int, a int);",
        "CREATE TABLE t (id int, a int, EXCLUDE (id WITH =));",
        "builds an index over public.t, … kB, under ACCESS EXCLUSIVE: less than a second at 40 MB/s",
    ),
    "materialized view": (
        "CREATE TABLE t (id int, a int); CREATE MATERIALIZED VIEW m AS SELECT * FROM t;",
        "CREATE TABLE t (id int, a int); CREATE MATERIALIZED VIEW m AS SELECT *, 1 AS b FROM t;",
        "runs the query again for public.m, … kB, under ACCESS EXCLUSIVE: less than a second at 40 MB/s",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OFFLINE)
def test_no_online_form(new_database: Callable[..., str], name: str) -> None:
    old, new, message = OFFLINE[name]
    desired = declared(new_database(), new)
    with psycopg.connect(new_database(), autocommit=True) as connection:
        connection.execute(old)
        assert told(connection, drafted(connection, desired), safe_below=0) == {}
        connection.execute(LARGE)
        if "MATERIALIZED" in old:
            connection.execute("REFRESH MATERIALIZED VIEW m")
        found = told(connection, drafted(connection, desired))
        assert [SIZE.sub("…", text) for text in found.values()] == [message]
        assert set(found) <= {"offline:public.t", "offline:public.m"}


def test_a_table_that_is_new_is_nobodys_yet(new_database: Callable[..., str]) -> None:
    desired = declared(new_database(), "CREATE TABLE t (id int, a bigserial, EXCLUDE (id WITH =))")
    with psycopg.connect(new_database(), autocommit=True) as connection:
        made = drafted(connection, desired)
        assert Address("table", ("public", "t")) in made.changes
        assert told(connection, made, safe_below=0) == {}
