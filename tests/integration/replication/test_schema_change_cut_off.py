"""A change of both sides that is killed, or fails on the way, goes on with the same command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.replication.declaration import ReplicatedTable, Replication, Strides
from novaops.replication.facts import subscriptions
from novaops.replication.pair import open_pair
from novaops.replication.schema_change.run import How, InterruptedChangeError
from novaops.replication.set_up import set_up
from novaops.replication.status import status

from .acting import Mortal, died
from .changing import Writer, change, files, in_step
from .conftest import replication
from .test_schema_change import pair_of

OLD = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id serial PRIMARY KEY, a bigint, b text NOT NULL, m mood, u text CONSTRAINT c CHECK (u <> ''));
"""
NEW = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'fine');
CREATE TABLE t (id serial PRIMARY KEY, a int NOT NULL, m mood, u text, x uuid NOT NULL DEFAULT gen_random_uuid());
"""
ALLOW = ("data-loss:public.t.b", "rewrite", "table-lock", "long-scan")
ROWS = (
    "INSERT INTO t (a, b, m) VALUES (1, 'x', 'ok')",
    "INSERT INTO t (a, m, u) VALUES (2, 'fine', '')",
    "UPDATE t SET a = a + 1 WHERE id % 9 = 0",
)
Chain = Callable[[str], Mapping[str, str]]


def killed(declared: Replication, file: Path, at: int, allow: tuple[str, ...] = ALLOW) -> bool:
    """Whether a change in a process of its own died there, and did not come to its end before."""
    return died(lambda: change(declared, file, allow, reporter=Mortal(at)))


def test_killed_again_and_again_it_goes_on(
    new_database: Callable[..., str], for_servers: Chain, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    source, _, declared = pair_of(new_database, for_servers, OLD)
    file, every = files(tmp_path, NEW), pytestconfig.getoption("--every-fault")
    with Writer(source, *ROWS) as writer:
        moment = 4
        # Each run dies a little later than the one before, within what that has left to do.
        while killed(declared, file, moment):
            moment += 1 if every else 6
        change(declared, file, ALLOW)
    assert all(writer.written.values()), writer.written
    in_step(declared)
    assert not change(declared, file)[0].todo


@pytest.mark.parametrize("moment", range(3, 40))
def test_killed_once_it_goes_on(
    moment: int,
    new_database: Callable[..., str],
    for_servers: Chain,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    if moment not in (9, 17) and not pytestconfig.getoption("--every-fault"):
        pytest.skip("some of all moments (--every-fault)")
    source, _, declared = pair_of(new_database, for_servers, OLD)
    file = files(tmp_path, NEW)
    with Writer(source, *ROWS):
        died = killed(declared, file, moment)
        change(declared, file, ALLOW)
    assert died or moment > 25
    in_step(declared)
    assert not change(declared, file)[0].todo


def test_what_stands_is_said_and_replicate_leaves_it(
    new_database: Callable[..., str], for_servers: Chain, tmp_path: Path
) -> None:
    """The source is locked; the target is relaxed by then, and rows flow."""
    source, _, declared = pair_of(new_database, for_servers, OLD)
    file = files(tmp_path, NEW)
    with psycopg.connect(source) as blocker:
        blocker.execute("LOCK TABLE t IN ROW SHARE MODE")
        with pytest.raises(InterruptedChangeError) as failed:
            change(declared, file, ALLOW, how=How(rehearse=False, lock_timeout=timedelta(milliseconds=50)))
        assert failed.value.message.startswith("source: ")
        assert "stands: relax (" in (failed.value.detail or "")
        assert f"novaops replicate apply --to {declared.target.database} goes on" in (failed.value.hint or "")
    (found,) = [f for f in status(declared).findings if f.name == "unfinished"]
    assert found.remedy == f"novaops replicate apply --to {declared.target.database} goes on with it"
    with open_pair(declared) as pair, pytest.raises(NovaopsError, match="was cut off"):
        set_up(pair, declared)
    in_step(declared)
    with Writer(source, *ROWS):
        _, changed = change(declared, file, ALLOW)
    assert [done.name for done in changed.done] == ["source", "drain", "copy", "restrict"]
    in_step(declared)


# -- two directions -----------------------------------------------------------------------------

BOTH_OLD = "CREATE TABLE t (id serial PRIMARY KEY, a int, b text NOT NULL DEFAULT 'd', c varchar(3));"
BOTH_NEW = "CREATE TABLE t (id serial PRIMARY KEY, a bigint, b text DEFAULT 'd', c text, x text);"
BOTH_LESS = "CREATE TABLE t (id serial PRIMARY KEY, a int, c varchar(3));"
BOTH_ROWS = (
    "INSERT INTO t (a, b, c) VALUES (1, 'x', 'abc')",
    "INSERT INTO t (a, c, x) VALUES (5000000000, 'abcdef', 'y')",
)


@pytest.fixture
def both(new_database: Callable[..., str], for_servers: Chain) -> tuple[str, str, Replication]:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(BOTH_OLD)
    declared = replication(
        source, target, for_servers(source), ReplicatedTable("public", "t"), direction="both", keys=Strides()
    )
    for each in (declared, declared.reversed()):
        with open_pair(each) as pair:
            set_up(pair, each)
    return source, target, declared


@pytest.mark.since(16, "origin = none")
def test_both_directions(both: tuple[str, str, Replication], tmp_path: Path) -> None:
    source, target, declared = both
    rows = ("INSERT INTO t (a, b, c) VALUES (1, 'x', 'abc')", BOTH_ROWS[0], BOTH_ROWS[1])
    with Writer(source, *rows) as one, Writer(target, *rows) as other:
        _, changed = change(declared, files(tmp_path, BOTH_NEW), ("rewrite", "table-lock"))
    assert [d.name for d in changed.done] == ["pause", "relax", "source", "resume", "drain"]
    assert all(one.written.values())
    assert all(other.written.values())
    for each in (declared, declared.reversed()):
        in_step(each)
    assert not change(declared, files(tmp_path, BOTH_NEW))[0].todo


@pytest.mark.since(16, "origin = none")
def test_a_column_goes_in_both_directions(both: tuple[str, str, Replication], tmp_path: Path) -> None:
    source, target, declared = both
    rows = ("INSERT INTO t (a, b, c) VALUES (1, 'x', 'abc')", "INSERT INTO t (a, c) VALUES (2, 'y')")
    file, allow = files(tmp_path, BOTH_LESS), ("data-loss:public.t.b",)
    with Writer(source, *rows), Writer(target, *rows):
        _, changed = change(declared, file, allow)
    assert [d.name for d in changed.done] == ["publish less", "source", "drain", "restrict", "publish"]
    for each in (declared, declared.reversed()):
        in_step(each)
    assert not change(declared, file)[0].todo
    with pytest.raises(NovaopsError, match="goes at the same time"):
        change(declared, files(tmp_path, BOTH_LESS.replace("a int, c varchar(3)", "a int, d int")))


@pytest.mark.since(16, "origin = none")
def test_both_directions_killed(
    both: tuple[str, str, Replication], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    source, target, declared = both
    file = files(tmp_path, BOTH_NEW)
    allow = ("rewrite", "table-lock")
    with Writer(source, *BOTH_ROWS), Writer(target, *BOTH_ROWS):
        moment = 5
        while killed(declared, file, moment, allow):
            moment += 1 if pytestconfig.getoption("--every-fault") else 6
        change(declared, file, allow)
    for each in (declared, declared.reversed()):
        in_step(each)


@pytest.mark.since(16, "origin = none")
def test_what_is_paused_is_told(both: tuple[str, str, Replication], tmp_path: Path) -> None:
    source, target, declared = both
    file = files(tmp_path, BOTH_OLD.replace("a int", "a bigint"))
    with psycopg.connect(source) as blocker:
        blocker.execute("LOCK TABLE t IN ROW SHARE MODE")
        with pytest.raises(InterruptedChangeError) as failed:
            change(
                declared, file, ("rewrite",), how=How(rehearse=False, lock_timeout=timedelta(milliseconds=50))
            )
    name = declared.reversed().subscription
    assert f"{name} of {declared.source.database} is paused" in (failed.value.detail or "")
    with open_pair(declared) as pair:
        assert not subscriptions(pair.source.connection)[name].enabled
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO t (a) VALUES (5000000000)")
    change(declared, file, ("rewrite",))
    for each in (declared, declared.reversed()):
        in_step(each)


@pytest.mark.since(16, "origin = none")
def test_where_both_write_nothing_gets_stricter(both: tuple[str, str, Replication], tmp_path: Path) -> None:
    _, _, declared = both
    for change_ in (("a int", "a int NOT NULL"), ("a int", "a smallint"), ("a int", "a int CHECK (a > 0)")):
        with pytest.raises(NovaopsError, match="rows come from both sides") as refused:
            change(declared, files(tmp_path, BOTH_OLD.replace(*change_)))
        assert refused.value.exit_code == 4
    with pytest.raises(NovaopsError, match="compute values of its own, and rows come from both"):
        change(declared, files(tmp_path, BOTH_OLD.replace("a int", "a int, at timestamptz DEFAULT now()")))
