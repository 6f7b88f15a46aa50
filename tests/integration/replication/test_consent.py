"""No row of the target is overwritten or deleted unless its table is named by who lets it go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg
import pytest

from novaops.errors import RefusedError
from novaops.replication.declaration import ReplicatedTable, Replication, Strides
from novaops.replication.facts import triggers
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import TableComparison, compare
from novaops.replication.proof.repair import repair_of
from novaops.replication.repairs.rows import repair_rows
from novaops.replication.replicate import both_ways, replicate

from .acting import (
    CONSENT,
    Chat,
    Listener,
    clean,
    compared,
    execute,
    found,
    names,
    rebuilt,
    run,
    tables,
    write,
)
from .conftest import replication
from .test_cut_off import killed

OTHER = "data-loss:public.other"


def rows(url: str) -> list[tuple[int, str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT id, message FROM agent_chat ORDER BY id").fetchall()


# -- a set-up -----------------------------------------------------------------------------------


def test_what_is_missing_is_copied_unasked(chat: Chat, listener: Listener) -> None:
    source, target, declared = chat
    write(source, 10)
    execute(target, "INSERT INTO agent_chat SELECT g, 'a', 'm' || g FROM generate_series(1, 4) g")
    outcome = run(declared)
    assert "6 rows brought into line with the source" in [done.text for done in outcome.done]
    assert compared(declared).equal
    assert [p for p in listener.heard(2) if "resync" in p] == [
        '{"resync": true, "table": "public.agent_chat"}'
    ]


@pytest.mark.parametrize("allow", [(), (OTHER,), ("access-loss",)])
def test_without_consent_nothing_is_lost(chat: Chat, allow: tuple[str, ...]) -> None:
    """The pre-flight is not asked here: what it had not seen is not lost either."""
    source, target, declared = chat
    write(source, 3)
    execute(target, "INSERT INTO agent_chat VALUES (1, 'a', 'old'), (900, 'b', 'own')")
    with pytest.raises(RefusedError, match=r"not allowed: data-loss:public\.agent_chat; rows of") as refused:
        run(declared, allow=allow)
    assert refused.value.detail == (
        "agent_chat: 1 row overwritten, 1 row deleted; overwritten: id 1; deleted: id 900"
    )
    assert str(refused.value.hint).endswith(
        f"novaops replicate --to {declared.target.database} --allow {CONSENT}"
    )
    assert rows(target) == [(1, "old"), (900, "own")]
    assert clean(source, target, declared)
    with psycopg.connect(target) as connection:
        assert [t.mode for t in triggers(connection, declared.tables)] == ["origin"]


@pytest.mark.parametrize("allow", [CONSENT, "H101", "all"])
def test_with_consent_the_target_becomes_the_source(chat: Chat, allow: str) -> None:
    source, target, declared = chat
    write(source, 3)
    execute(target, "INSERT INTO agent_chat VALUES (1, 'a', 'old'), (900, 'b', 'own')")
    outcome = run(declared, allow=(allow,))
    assert outcome.done[0].text == "agent_chat: 1 row overwritten, 1 row deleted, as allowed"
    assert rows(target) == rows(source)
    assert run(declared).done == ()


def test_many_rows_are_counted_and_some_are_shown(chat: Chat) -> None:
    source, target, declared = chat
    write(source, 100)
    execute(target, "INSERT INTO agent_chat SELECT g, 'a', 'other' FROM generate_series(50, 130) g")
    with pytest.raises(RefusedError) as refused:
        run(declared)
    assert (refused.value.detail or "").split("; ") == [
        "agent_chat: 51 rows overwritten, 30 rows deleted",
        "overwritten: id 50, 51, 52, 53, 54, 55, 56, 57, 58, 59 and 41 more",
        "deleted: id 101, 102, 103, 104, 105, 106, 107, 108, 109, 110 and 20 more",
    ]


def test_each_table_is_named(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        execute(
            url,
            "CREATE TABLE agent_chat (id int PRIMARY KEY, message text)",
            'CREATE TABLE "Other" (a text, b int, PRIMARY KEY (a, b))',
        )
    execute(target, "INSERT INTO agent_chat VALUES (1, 'x')", """INSERT INTO "Other" VALUES ('a', 1)""")
    wanted = [ReplicatedTable("public", name) for name in ("agent_chat", "Other")]
    declared = replication(source, target, for_servers(source), *wanted)
    with pytest.raises(RefusedError) as refused:
        run(declared, allow=(CONSENT,))
    assert refused.value.message.startswith('not allowed: data-loss:public."Other"; ')
    assert "deleted: (a, b) (a, 1)" in (refused.value.detail or "")
    run(declared, allow=(CONSENT, 'data-loss:public."Other"'))
    assert compared(declared).equal


def test_a_row_outside_of_the_filter_is_in_the_way_as_well(chat: Chat) -> None:
    """The source sends a key that the target has in a row which the filter leaves out: it would be overwritten."""
    source, target, declared = chat
    write(source, 3)
    execute(target, "INSERT INTO agent_chat VALUES (2, 'a', 'own'), (900, 'a', 'own')")
    filtered = tables(declared, replace(declared.tables[0], row_filter="message <> 'own'"))
    execute(source, "ALTER TABLE agent_chat REPLICA IDENTITY FULL")
    with pytest.raises(RefusedError) as refused:
        run(filtered)
    assert "1 row overwritten" in (refused.value.detail or "")
    assert rows(target) == [(2, "own"), (900, "own")]
    run(filtered, allow=(CONSENT,))
    assert rows(target) == [(1, "m1"), (2, "m2"), (3, "m3"), (900, "own")], "the filter leaves it alone"


@pytest.mark.parametrize("moment", [8, 13])
def test_killed_while_rows_go_it_takes_the_same_consent_again(chat: Chat, moment: int) -> None:
    source, target, declared = chat
    write(source, 3)
    execute(target, "INSERT INTO agent_chat VALUES (1, 'a', 'old'), (900, 'b', 'own')")
    assert killed(declared, moment, allow=(CONSENT,))
    if (900, "own") in rows(target):
        with pytest.raises(RefusedError):
            run(declared)
        assert (900, "own") in rows(target)
    run(declared, allow=(CONSENT,))
    assert rows(target) == rows(source)
    assert run(declared).done == ()


# -- rebuild ------------------------------------------------------------------------------------


def test_a_rebuild_drops_nothing_before_it_is_agreed(running: Chat) -> None:
    source, target, declared = running
    execute(target, f"ALTER SUBSCRIPTION {declared.subscription} DISABLE")
    execute(
        source, "DELETE FROM agent_chat WHERE id > 2", "UPDATE agent_chat SET message = 'new' WHERE id = 1"
    )
    before = rows(target)
    with pytest.raises(RefusedError) as refused:
        rebuilt(declared)
    assert "1 row overwritten, 98 rows deleted" in (refused.value.detail or "")
    assert str(refused.value.hint).endswith(
        f"novaops replicate rebuild --to {declared.target.database} --allow {CONSENT}"
    )
    assert rows(target) == before
    # The subscription is there, and goes on with what was waiting for it.
    execute(target, f"ALTER SUBSCRIPTION {declared.subscription} ENABLE")
    assert compared(declared).equal
    assert "unfinished" not in [f.name for f in found(declared, "sequence-behind")[1].findings]


# -- a repair -----------------------------------------------------------------------------------


def repaired(declared: Replication, *allow: str) -> TableComparison:
    return repair_rows(declared, allow=allow)[0]


def test_a_repair_without_consent_copies_and_leaves_the_rest(running: Chat) -> None:
    _, target, declared = running
    execute(
        target,
        "DELETE FROM agent_chat WHERE id IN (5, 6)",
        "UPDATE agent_chat SET message = 'other' WHERE id = 7",
        "INSERT INTO agent_chat VALUES (1000, 'x', 'too many')",
    )
    seen = repaired(declared)
    assert (seen.missing, seen.different, seen.extra, seen.repaired, seen.equal) == (2, 1, 1, 2, False)
    assert {(7, "other"), (1000, "too many"), (5, "m5")} <= set(rows(target))
    assert repaired(declared, CONSENT).equal
    assert compared(declared).equal


def test_what_is_written_after_the_look_is_not_overwritten(running: Chat) -> None:
    """Somebody writes the missing row himself, between the comparison and the repair."""
    _, target, declared = running
    execute(
        target, "DELETE FROM agent_chat WHERE id = 5", "UPDATE agent_chat SET message = 'other' WHERE id = 7"
    )
    mend = repair_of(declared, (CONSENT,))

    def late(source, theirs, differences):  # type: ignore[no-untyped-def]
        execute(
            target,
            "INSERT INTO agent_chat VALUES (5, 'x', 'mine')",
            "UPDATE agent_chat SET message = 'mine' WHERE id = 7",
        )
        return mend(source, theirs, differences)

    with open_pair(declared) as pair:
        seen = compare(pair, declared, repair=late)[0]
    assert (seen.missing, seen.different, seen.repaired, seen.equal) == (1, 1, 0, False)
    assert {(5, "mine"), (7, "mine")} <= set(rows(target))


# -- two directions -----------------------------------------------------------------------------


@pytest.mark.since(16, "origin = none")
def test_in_two_directions_the_source_wins_if_that_is_allowed(chat: Chat) -> None:
    source, target, declared = chat
    both = replace(declared, direction="both", keys=Strides())
    write(source, 3)
    execute(target, "INSERT INTO agent_chat VALUES (2, 'b', 'other'), (900, 'b', 'own')")
    with pytest.raises(RefusedError) as refused:
        replicate(both)
    assert "1 row overwritten" in str(refused.value)
    assert rows(target) == [(2, "other"), (900, "own")]
    for each in both_ways([both]):
        replicate(each, allow=(CONSENT,))
    expected = [(1, "m1"), (2, "m2"), (3, "m3"), (900, "own")]
    assert (rows(source), rows(target)) == (expected, expected)

    # Later as well: one that differs is the source's again, and nothing of it goes back.
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("SELECT pg_replication_origin_create('test_of_novaops')")
        connection.execute("SELECT pg_replication_origin_session_setup('test_of_novaops')")
        connection.execute("UPDATE agent_chat SET message = 'unsent' WHERE id = 3")
        connection.execute("SELECT pg_replication_origin_session_reset()")
        connection.execute("SELECT pg_replication_origin_drop('test_of_novaops')")
    forth, back = both_ways([both])
    for each in (forth, back):
        repair_rows(each)
    assert (3, "unsent") in rows(target)
    for each in (forth, back):
        repair_rows(each, allow=(CONSENT,))
    assert rows(source) == rows(target)
    assert (3, "m3") in rows(target)
    assert names(replicate(forth)[1]) == []
