"""A replication that is taken down leaves its rows, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg

from novaops.replication.facts import publications, slots, subscriptions
from novaops.replication.pair import open_pair
from novaops.replication.repairs.teardown import teardown
from novaops.replication.set_up import set_up
from novaops.replication.status import status

from .acting import Chat, execute
from .conftest import CHAT, endpoint


def test_teardown_leaves_rows_and_nothing_else(running: Chat) -> None:
    source, target, declared = running
    result = teardown(declared)
    assert [text.split()[0] for text in result.done] == ["subscription", "slot", "publication"]
    assert result.left == []
    with psycopg.connect(source) as ours, psycopg.connect(target) as theirs:
        assert not publications(ours)
        assert not subscriptions(theirs)
        assert declared.slot not in slots(ours)
        assert theirs.execute("SELECT count(*) FROM agent_chat").fetchone() == (100,)
    assert teardown(declared).done == []


def test_teardown_keeps_a_publication_that_another_slot_needs(
    running: Chat, new_database: Callable[..., str]
) -> None:
    _, _, declared = running
    third = new_database("quill")
    execute(third, CHAT)
    other = replace(declared, target=endpoint(third))
    with open_pair(other) as pair:
        set_up(pair, other)
    result = teardown(declared)
    assert any(declared.publication in text and other.slot in text for text in result.left)
    assert status(other).healthy
    assert [text.split()[0] for text in teardown(other).done] == ["subscription", "slot", "publication"]


def test_teardown_without_its_source(running: Chat) -> None:
    _, target, declared = running
    gone = replace(
        declared, source=replace(declared.source, parameters={**declared.source.parameters, "port": "1"})
    )
    seen = status(gone)
    assert "source-unreachable" in [f.name for f in seen.findings]
    result = teardown(gone)
    assert [text.split()[0] for text in result.done] == ["subscription"]
    assert f"SELECT pg_drop_replication_slot('{declared.slot}')" in result.left[0]
    with psycopg.connect(target) as theirs:
        assert not subscriptions(theirs)
    # With the source back, the slot is found and dropped.
    assert f"slot {declared.slot}" in teardown(declared).done[0]
