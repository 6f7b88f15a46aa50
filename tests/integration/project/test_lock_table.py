"""Plans and files that need more locks than the server has room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from novaops.db.locks import LockTable
from novaops.desired.build import Desired, build
from novaops.errors import NovaopsError
from novaops.project import Project

Connection = psycopg.Connection[Any]

USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email varchar(40) NOT NULL, legacy_id bigint);\n"


SMALL = LockTable(per_transaction=4, transactions=2)


def test_a_small_lock_table_divides_the_plan_which_says_so(
    declare: Callable[..., Project], live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novaops.planning.planner.lock_table", lambda _: SMALL)
    declared = "".join(f"CREATE TABLE t{i} (a int);\n" for i in range(5))
    project = declare(declared)
    made = project.plan()
    assert [s.transaction for s in made.statements] == [1, 2, 3, 4, 5]
    assert "more locks than one transaction may hold here (4): it takes 5 of them" in made.notices[0]
    assert project.apply(made).left == ()
    emptied = declare("")
    assert emptied.apply(allow=[f"data-loss:{emptied.target().database}"]).left == ()
    assert live.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    ).fetchone() == (0,)


def test_one_statement_with_too_many_locks_names_the_setting(
    declare: Callable[..., Project], live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.execute("CREATE TABLE p (a int) PARTITION BY LIST (a)")
    for i in range(4):
        live.execute(f"CREATE TABLE p{i} PARTITION OF p FOR VALUES IN ({i})")
    monkeypatch.setattr("novaops.planning.planner.lock_table", lambda _: SMALL)
    (notice,) = [n for n in declare("CREATE SCHEMA other;").plan().notices if n.startswith("DROP TABLE")]
    assert "the server has room for 8; set max_locks_per_transaction, now 4, to " in notice


def test_a_rehearsal_out_of_locks_names_the_setting(
    declare: Callable[..., Project], live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise psycopg.errors.OutOfMemory("out of shared memory")

    monkeypatch.setattr("novaops.execution.observe.Observer.run", full)
    with pytest.raises(
        NovaopsError, match="no room for what one statement needs; nothing was applied"
    ) as error:
        declare(USERS).apply()
    assert error.value.hint is not None
    assert "max_locks_per_transaction" in error.value.hint
    assert live.execute("SELECT to_regclass('users')").fetchone() == (None,)


def test_files_too_large_for_the_lock_table_are_built_with_commits(
    declare: Callable[..., Project], live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.execute("CREATE SCHEMA beside; CREATE TABLE beside.t (a int PRIMARY KEY)")
    modes: list[bool] = []

    def spy(*args: Any, **options: Any) -> Desired:
        modes.append(options["commit"])
        return build(*args, **options)

    monkeypatch.setattr("novaops.desired.declare.build", spy)
    monkeypatch.setattr("novaops.desired.declare.lock_table", lambda _: SMALL)
    declared = "CREATE VIEW v AS TABLE u;\nCREATE TABLE u (a int REFERENCES beside.t);\n"
    assert declare(declared).apply(rehearse=False).left == ()
    assert modes == [True, True]
    assert declare(declared).plan().statements == ()
