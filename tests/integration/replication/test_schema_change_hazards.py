"""A plan for one side of a replication is a hazard while the other side is not ready for it, and only then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from novaops.errors import RefusedError
from novaops.project import Options, Project
from novaops.replication.declaration import Endpoint, Replication
from novaops.replication.schema_change.watch import watch

from .test_schema_change import pair_of

OLD = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text, n int NOT NULL, d text, e text, f text, m mood, u int CONSTRAINT u UNIQUE CONSTRAINT c CHECK (u < 9));
CREATE TABLE other (id int PRIMARY KEY);
"""


@pytest.fixture
def pair(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> tuple[str, str, Replication]:
    return pair_of(new_database, for_servers, OLD)


def hazards(url: str, endpoint: Endpoint, declared: Replication, folder: Path, sql: str) -> dict[str, str]:
    """The hazards of a plan for that side, by what they are about."""
    (folder / "schema.sql").write_text(sql)
    options = Options(ignore_file=None, watch=watch([declared], endpoint))
    with Project(url, folder / "schema.sql", options) as project:
        return {h.object: h.message for h in project.plan().blocked if h.hazard == "replication"}


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


# What is changed in the files, whom it harms, and what on the other side makes it harmless.
AT_THE_SOURCE = [
    ("b text", "b text, x text", "public.t.x", "ALTER TABLE t ADD COLUMN x text"),
    ("n int NOT NULL, ", "", "public.t.n", "ALTER TABLE t ALTER n DROP NOT NULL"),
    ("a int NOT NULL", "a bigint NOT NULL", "public.t.a", "ALTER TABLE t ALTER a TYPE bigint"),
    ("a int NOT NULL", "a int", "", "ALTER TABLE t ALTER a DROP NOT NULL"),
    ("'ok'", "'ok', 'fine'", "public.mood", "ALTER TYPE mood ADD VALUE 'fine'"),
    (" CONSTRAINT c CHECK (u < 9)", "", "c on public.t", "ALTER TABLE t DROP CONSTRAINT c"),
    (" CONSTRAINT u UNIQUE", "", "u on public.t", "ALTER TABLE t DROP CONSTRAINT u"),
    ("b text", "z text -- novaops: renamed from b\n", "public.t.b", None),
    ("id int PRIMARY KEY, a", "id int UNIQUE NOT NULL, a", "t_pkey on public.t", None),
]  # fmt: skip
# Nobody is harmed: defaults, what is stricter, indexes, other tables, what nobody sends.
HARMLESS_AT_THE_SOURCE = [
    ("b text", "b text DEFAULT 'x' NOT NULL CHECK (b <> '')"),
    ("d text, ", ""),
    ("e text", "e varchar(9)"),
    ("f text", "f text UNIQUE, x int GENERATED ALWAYS AS (1) STORED"),
    ("other (id int PRIMARY KEY", "other (id int PRIMARY KEY, x text"),
]
AT_THE_TARGET = [
    ("b text, ", "", "public.t.b", "ALTER TABLE t DROP b"),
    ("b text", "b text NOT NULL", "", "ALTER TABLE t ALTER b SET NOT NULL"),
    ("b text", "b varchar(9)", "public.t.b", "ALTER TABLE t ALTER b TYPE varchar(9)"),
    ("b text", "b text CONSTRAINT x CHECK (b <> '')", "x on public.t", "ALTER TABLE t ADD CONSTRAINT x CHECK (b <> '')"),
    ("b text", "b text CONSTRAINT x UNIQUE", "x on public.t", "ALTER TABLE t ADD CONSTRAINT x UNIQUE (b)"),
    ("b text", "b text, x int NOT NULL", "", "ALTER TABLE t ADD COLUMN x int NOT NULL"),
    ("'sad', 'ok'", "'ok'", "public.mood", None),
]  # fmt: skip
HARMLESS_AT_THE_TARGET = [
    ("b text", "b text, x text, y int NOT NULL DEFAULT 1"),
    ("a int NOT NULL", "a bigint"),
    ("'ok'", "'ok', 'fine'"),
    (" CONSTRAINT c CHECK (u < 9)", ""),
]


def replaced(changes: list[tuple[str, str]]) -> str:
    sql = OLD
    for change in changes:
        assert change[0] in sql
        sql = sql.replace(*change)
    return sql


def test_changes_of_the_source(pair: tuple[str, str, Replication], tmp_path: Path) -> None:
    source, target, declared = pair
    assert hazards(source, declared.source, declared, tmp_path, replaced(HARMLESS_AT_THE_SOURCE)) == {}
    for before, after, subject, mends in AT_THE_SOURCE:
        found = hazards(source, declared.source, declared, tmp_path, OLD.replace(before, after))
        assert [name for name in found if subject in name] == list(found) != [], (after, found)
        if mends is not None:
            run(target, mends)
            assert hazards(source, declared.source, declared, tmp_path, OLD.replace(before, after)) == {}, (
                after
            )


def test_changes_of_the_target(pair: tuple[str, str, Replication], tmp_path: Path) -> None:
    source, target, declared = pair
    assert hazards(target, declared.target, declared, tmp_path, replaced(HARMLESS_AT_THE_TARGET)) == {}
    for before, after, subject, mends in AT_THE_TARGET:
        found = hazards(target, declared.target, declared, tmp_path, OLD.replace(before, after))
        assert [name for name in found if subject in name] == list(found) != [], (after, found)
        if mends is None:
            continue
        with (
            psycopg.connect(source, autocommit=True) as connection,
            connection.transaction(force_rollback=False),
        ):
            connection.execute(mends.encode())
        begun = time.monotonic()
        # What was written in the old shape is confirmed within wal_receiver_status_interval.
        while time.monotonic() - begun < 30:
            found = hazards(target, declared.target, declared, tmp_path, OLD.replace(before, after))
            if not found:
                break
            assert all("under way" in text for text in found.values()), found
        assert found == {}, after
        run(source, *UNDO.get(mends, ()))


UNDO = {
    "ALTER TABLE t DROP b": ("ALTER TABLE t ADD b text",),
    "ALTER TABLE t ALTER b SET NOT NULL": ("ALTER TABLE t ALTER b DROP NOT NULL",),
    "ALTER TABLE t ALTER b TYPE varchar(9)": ("ALTER TABLE t ALTER b TYPE text",),
    "ALTER TABLE t ADD CONSTRAINT x CHECK (b <> '')": ("ALTER TABLE t DROP CONSTRAINT x",),
    "ALTER TABLE t ADD CONSTRAINT x UNIQUE (b)": ("ALTER TABLE t DROP CONSTRAINT x",),
}


def test_a_replicated_table_is_not_dropped_unasked(
    pair: tuple[str, str, Replication], tmp_path: Path
) -> None:
    source, target, declared = pair
    gone = "CREATE TABLE other (id int PRIMARY KEY);"
    for url, endpoint in ((source, declared.source), (target, declared.target)):
        assert "public.t" in hazards(url, endpoint, declared, tmp_path, gone)


def test_who_is_not_reached_may_stop(pair: tuple[str, str, Replication], tmp_path: Path) -> None:
    source, _, declared = pair
    away = replace(declared, target=declared.target.at("nowhere_at_all"))
    found = hazards(source, away.source, away, tmp_path, OLD.replace("b text", "b text, x text"))
    assert found["public.t.x"].startswith("nowhere_at_all could not be looked at, and may stop: ")
    (tmp_path / "schema.sql").write_text(OLD.replace("b text", "b text, x text"))
    with Project(
        source, tmp_path / "schema.sql", Options(ignore_file=None, watch=watch([away], away.source))
    ) as made:
        with pytest.raises(RefusedError, match=r"replication:public\.t\.x"):
            made.apply()
        assert made.apply(made.plan(["replication:public.t.x"])).left == ()


def test_only_what_is_safe_leaves_it_out(pair: tuple[str, str, Replication], tmp_path: Path) -> None:
    source, _, declared = pair
    (tmp_path / "schema.sql").write_text(
        OLD.replace("b text", "b text, x text").replace("other (", "other (y int, ")
    )
    options = Options(ignore_file=None, watch=watch([declared], declared.source))
    with Project(source, tmp_path / "schema.sql", options) as project:
        made = project.plan(safe_only=True)
    assert [s.sql for s in made.statements] == ["ALTER TABLE public.other ADD COLUMN y integer"]
    assert [change.object for change in made.left_out] == ["public.t.x"]
