"""One attempt has one deadline, whatever it locks; what is locked ahead is what the rehearsal has seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from novaops.db.lock_modes import words
from novaops.execution import locking
from novaops.execution.locking import Attempt, Wanted, patient, wanted_by
from novaops.planning.plan import Guard, Statement


class Recording:
    """Stands for a connection on which every statement takes a second of the clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.heard: list[str] = []

    def execute(self, sql: str, parameters: list[list[str]] | None = None) -> list[tuple[str]]:
        self.now += 1
        self.heard.append(sql)
        return [(name,) for name in parameters[0]] if parameters else []


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Recording:
    recording = Recording()
    monkeypatch.setattr(locking.time, "monotonic", lambda: recording.now)
    return recording


def attempted(connection: Any, seconds: int, wanted: Wanted, first: str | None = None) -> Attempt:
    return Attempt(connection, timedelta(seconds=seconds), wanted, first)


def statement(sql: str = "ALTER TABLE t …", **given: Any) -> Statement:
    return Statement(sql, 1, "table", "public.t", "alter", **given)


LOCKING = statement(locks=("a AccessExclusiveLock",))


def test_what_one_lock_took_is_not_there_for_the_next(connection: Recording) -> None:
    modes = {
        "b": "AccessExclusiveLock",
        "a": "AccessExclusiveLock",
        "c": "ShareRowExclusiveLock",
        "d": "RowShareLock",
    }
    attempt = attempted(connection, 5, Wanted(modes, only=True))
    attempt.lock_before(LOCKING)
    attempt.execute("ALTER TABLE a …")
    attempt.lock_before(LOCKING)
    assert connection.heard[1:] == [
        "SET LOCAL lock_timeout = 4000; SET LOCAL statement_timeout = 4000;"
        "LOCK TABLE ONLY a, ONLY b IN ACCESS EXCLUSIVE MODE; SET LOCAL statement_timeout = 0",
        "SET LOCAL lock_timeout = 3000; SET LOCAL statement_timeout = 3000;"
        "LOCK TABLE ONLY c IN SHARE ROW EXCLUSIVE MODE; SET LOCAL statement_timeout = 0",
        "SET LOCAL lock_timeout = 2000; ALTER TABLE a …",
    ]


def test_what_could_not_be_had_is_waited_for_with_nothing_in_hand(connection: Recording) -> None:
    modes = dict.fromkeys(("a", "b", "c"), "AccessExclusiveLock")
    attempted(connection, 9, Wanted(modes, only=False), first="c").lock_before(statement())
    locks = [sql.partition("LOCK TABLE ")[2].partition(" IN")[0] for sql in connection.heard[1:]]
    assert locks == ["c", "a, b, c"]


def test_nothing_is_locked_for_what_is_only_made(connection: Recording) -> None:
    attempt = attempted(connection, 9, Wanted({"public.t": "ShareRowExclusiveLock"}, only=True))
    attempt.lock_before(statement("CREATE TABLE n …"))
    attempt.lock_before(statement("SELECT …", locks=("public.t AccessShareLock",)))
    assert connection.heard == []
    referring = statement("ALTER TABLE n ADD FOREIGN KEY …", locks=("public.t ShareRowExclusiveLock",))
    attempt.lock_before(referring)
    assert "LOCK TABLE ONLY public.t IN SHARE ROW EXCLUSIVE MODE" in connection.heard[-1]


def test_without_a_rehearsal_only_what_makes_something_is_known_to_be_felt_by_nobody(
    connection: Recording,
) -> None:
    attempt = attempted(connection, 9, Wanted({"public.t": "AccessExclusiveLock"}, only=False))
    attempt.lock_before(replace(statement("CREATE VIEW …"), operation="create"))
    assert connection.heard == []
    attempt.lock_before(replace(statement("DROP VIEW …"), operation="drop"))
    assert "LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE" in connection.heard[-1]


def test_a_statement_may_always_wait_a_little(connection: Recording) -> None:
    attempt = attempted(connection, 1, Wanted({}, only=True))
    attempt.lock_before(LOCKING)
    connection.now += 60
    attempt.execute("SELECT 1")
    assert connection.heard[-1] == "SET LOCAL lock_timeout = 50; SELECT 1"


def test_the_strongest_mode_seen_counts() -> None:
    seen = [
        statement(locks=("public.t ShareRowExclusiveLock", 'public."a b" RowShareLock')),
        statement(locks=("public.t AccessExclusiveLock",), table="public.other"),
        statement(guards=(Guard("data-loss", "public.g", "SELECT false", lock="public.g"),)),
    ]
    assert wanted_by(seen, seen=True).modes == {
        "public.t": "AccessExclusiveLock",
        'public."a b"': "RowShareLock",
        "public.g": "AccessExclusiveLock",
    }


def test_without_a_rehearsal_the_tables_that_are_changed_count() -> None:
    told = [statement(table="public.t"), statement(table="public.u", patient=True), statement()]
    found = wanted_by(told, seen=False)
    assert (found.modes, found.only) == ({"public.t": "AccessExclusiveLock"}, False)


def test_one_impatient_statement_makes_a_transaction_impatient() -> None:
    assert patient([statement(patient=True), statement(patient=True)])
    assert not patient([statement(patient=True), statement()])


def test_modes_in_words() -> None:
    assert words("ShareUpdateExclusiveLock") == "SHARE UPDATE EXCLUSIVE"
