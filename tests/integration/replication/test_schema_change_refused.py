"""What no order of steps takes both sides through is refused before anything is done, with the way that works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from novaops.catalog.fingerprint import fingerprint
from novaops.errors import RefusedError, UsageError
from novaops.project import Options, Project
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.pair import open_pair
from novaops.replication.schema_change.change import open_change
from novaops.replication.schema_change.run import How
from novaops.replication.set_up import set_up

from .changing import Writer, change, files, in_step, planned
from .conftest import replication
from .test_schema_change import pair_of

New = Callable[..., str]
Servers = Callable[[str], Mapping[str, str]]
OLD = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, b text, m mood, r real, f boolean, k char(3), n numeric(6,2));
CREATE TABLE k (a text);
"""
TABLES = (ReplicatedTable("public", "t"), ReplicatedTable("public", "k"))
# What is changed in the files, what is refused, why, and with which way out.
REFUSED = [
    ("b text", "z text -- novaops: renamed from b\n", "public.t.b", "names of their columns", "add a new column beside"),
    ("TABLE t (", "TABLE u ( -- novaops: renamed from t\n", "public.t", "name of their table", "teardown"),
    ("'ok'", "'fine' -- novaops: renamed from ok\n", "public.mood", "labels are sent as text", "teardown"),
    ("id int PRIMARY KEY, b", "id int UNIQUE NOT NULL, b", "t_pkey on public.t", "finds rows by this key", "teardown"),
    ("CREATE TABLE k (a text);", "", "public.k", "without a word", "novaops.toml"),
    ("CREATE TABLE k (a text);", "CREATE TABLE k (a text); ALTER TABLE k REPLICA IDENTITY FULL;", "public.k",
     "replica identity", "teardown"),
    ("CREATE TABLE k (a text)", "CREATE TABLE k (a text, at timestamptz DEFAULT now())", "public.k", "without a key",
     "fill it by UPDATE"),
    ("b text", "b int[]", "public.t.b", "do not read each other's text", "add a new column beside"),
    # Cast to double precision it is 0.10000000149011612, read from its text 0.1.
    ("r real", "r double precision", "public.t.r", "do not read", "add a new column beside"),
    # Cast to text it is 'true', written 't'.
    ("f boolean", "f text", "public.t.f", "do not read", "add a new column beside"),
    # Cast to text it loses its blanks, written it has them.
    ("k char(3)", "k text", "public.t.k", "do not read", "add a new column beside"),
    ("n numeric(6,2)", "n numeric(6,4)", "public.t.n", "do not read", "add a new column beside"),
]  # fmt: skip


def test_each_with_its_way_out(new_database: New, for_servers: Servers, tmp_path: Path) -> None:
    _, target, declared = pair_of(new_database, for_servers, OLD, *TABLES)
    for before, after, subject, why, way in REFUSED:
        found = planned(declared, files(tmp_path, OLD.replace(before, after))).refusals
        assert [subject in r.object and why in r.why and way in r.instead for r in found] == [True], (
            after,
            found,
        )
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE VIEW v AS SELECT b FROM t")
        connection.execute(f"ALTER SUBSCRIPTION {declared.subscription} SET (binary = true)")
        (binary,) = planned(declared, files(tmp_path, OLD.replace("id int", "id bigint"))).refusals
        assert (binary.object, "SET (binary = false)" in binary.instead) == ("public.t.id", True)
        connection.execute(f"ALTER SUBSCRIPTION {declared.subscription} SET (binary = false)")
    file = files(tmp_path, OLD.replace("b text, ", ""))
    with Project(target, file) as project:
        there = fingerprint(project.inspect())
        with pytest.raises(RefusedError, match=r"view public\.v of .* uses it"):
            change(declared, file, ["all"])
        assert fingerprint(project.inspect()) == there


def test_consent_is_asked_for_once_and_by_name(
    new_database: New, for_servers: Servers, tmp_path: Path
) -> None:
    source, target, declared = pair_of(new_database, for_servers, OLD, *TABLES)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("INSERT INTO t (id, b) VALUES (1, 'x')")
    in_step(declared)
    file = files(tmp_path, OLD.replace("b text, ", ""))
    with pytest.raises(RefusedError, match=r"not allowed: data-loss:public\.t\.b; nothing was done"):
        change(declared, file)
    course, _ = change(declared, file, ["data-loss:public.t.b"], how=How())
    assert course.blocked == ()
    in_step(declared)
    for url in (source, target):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("SELECT b FROM t")


def test_rows_that_differ_already_are_not_overwritten(
    new_database: New, for_servers: Servers, tmp_path: Path
) -> None:
    _, target, declared = pair_of(new_database, for_servers, OLD, *TABLES)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO t (id, b) VALUES (1, 'mine')")
        file = files(tmp_path, OLD.replace("b text", "b text, at timestamptz DEFAULT now()"))
        with pytest.raises(RefusedError, match="the rows of t are not equal as it is"):
            change(declared, file)
        assert connection.execute("SELECT to_jsonb(t) ? 'at' FROM t").fetchone() == (False,)


PARTITIONED = """
CREATE TABLE t (id int, at int NOT NULL, a int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100);
"""
REPARTITIONED = """
CREATE TABLE t (id int, at int NOT NULL, a bigint, b text DEFAULT 'x', PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100);
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200);
"""


def test_partitions(new_database: New, for_servers: Servers, tmp_path: Path) -> None:
    source, target, declared = pair_of(new_database, for_servers, PARTITIONED)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE s")
    file = files(tmp_path, REPARTITIONED + "CREATE SEQUENCE s;")
    rows = (
        "INSERT INTO t (id, at, a) VALUES (nextval('s'), 1, 1)",
        "INSERT INTO t (id, at, a, b) VALUES (nextval('s'), 101, 5000000000, 'y')",
    )
    with Writer(source, *rows) as writer:
        writer.wait(10)
        _, changed = change(declared, file, ["all"], how=How())
        writer.wait(10)
    assert [done.name for done in changed.done] == ["relax", "source", "drain"]
    assert all(writer.written.values())
    in_step(declared)
    with Project(target, files(tmp_path, REPARTITIONED), Options(ignore_file=None)) as project:
        assert [s.sql for s in project.plan().statements] == []


@pytest.fixture
def two(new_database: New, for_servers: Servers) -> tuple[str, Replication, Replication]:
    """Two databases that get the rows of one."""
    source, _, declared = pair_of(new_database, for_servers, OLD, *TABLES)
    other = new_database("quill")
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(OLD)
    second = replication(source, other, for_servers(source), *TABLES)
    with open_pair(second) as pair:
        set_up(pair, second)
    return source, declared, second


def test_all_that_get_the_rows_are_changed(two: tuple[str, Replication, Replication], tmp_path: Path) -> None:
    source, one, other = two
    file = files(tmp_path, OLD.replace("b text", "b text, x text"))
    project = Project({}, file, Options(ignore_file=None))
    with open_change(project, [one], [one, other]) as found:
        (blocked,) = found.plan().blocked
    assert (blocked.consent, other.target.database in blocked.message) == ("replication:public.t.x", True)
    rows = (
        "INSERT INTO t (id) SELECT 1 + count(*) FROM t",
        "INSERT INTO t (id, x) SELECT 1 + count(*), 'x' FROM t",
    )
    with Writer(source, *rows) as writer:
        _, changed = change([one, other], file)
        writer.wait(5)
    assert all(writer.written.values())
    assert [done.name for done in changed.done] == ["relax", "relax", "source", "drain", "drain"]
    assert len(changed.proofs) == 2
    in_step(one)
    in_step(other)


def test_one_source(two: tuple[str, Replication, Replication], tmp_path: Path) -> None:
    _, one, other = two
    elsewhere = replace(other, source=other.source.at("elsewhere"))
    project = Project({}, files(tmp_path, OLD), Options(ignore_file=None))
    with pytest.raises(UsageError, match="several sources"), open_change(project, [one, elsewhere], []):
        pass
