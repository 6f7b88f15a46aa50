"""Two databases that are both written to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import psycopg
import pytest

from novaops.replication.declaration import Ranges, ReplicatedTable, Replication, Strides
from novaops.replication.facts import publications, subscriptions
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare
from novaops.replication.repairs.teardown import teardown
from novaops.replication.replicate import both_ways
from novaops.replication.set_up import set_up

from .conftest import replication

pytestmark = pytest.mark.since(16, "origin = none")


@pytest.fixture
def two(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> tuple[str, str, Replication]:
    urls = new_database("left"), new_database("right")
    for url, who in zip(urls, ("left", "right"), strict=True):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE notes (id bigserial PRIMARY KEY, author text, revision int DEFAULT 0)"
            )
            if who == "left":
                connection.execute("INSERT INTO notes (author) SELECT 'left' FROM generate_series(1, 5)")
            else:
                connection.execute("INSERT INTO notes (id, author) VALUES (1001, 'right')")
    table = ReplicatedTable("public", "notes")
    declared = replication(*urls, for_servers(urls[0]), table)
    return *urls, replace(declared, direction="both", keys=Strides())


def set_up_both(declared: Replication) -> list[str]:
    done = []
    for each in both_ways([declared]):
        with open_pair(each) as pair:
            done += [step.name for step in set_up(pair, each).done]
    return done


def equal_at_last(declared: Replication) -> bool:
    """Whether both sides have the same rows, once what is on its way both ways has arrived."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with open_pair(declared) as pair:
            (table,) = compare(pair, declared)
        if table.equal:
            return True
    return False


def test_rows_go_both_ways_and_not_round_and_round(two: tuple[str, str, Replication]) -> None:
    left, right, declared = two
    set_up_both(declared)
    assert set_up_both(declared) == []
    keys: dict[str, list[int]] = {}
    for url in (left, right):
        with psycopg.connect(url, autocommit=True) as connection:
            rows = connection.execute(
                "INSERT INTO notes (author) SELECT 'new' FROM generate_series(1, 3) RETURNING id"
            ).fetchall()
            keys[url] = [row[0] for row in rows]
    assert {key % 2 for key in keys[left]} == {1}
    assert {key % 2 for key in keys[right]} == {0}
    assert equal_at_last(declared)
    with psycopg.connect(right, autocommit=True) as connection:
        # 5 + 1 that were there before, 3 from each side.
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (12,)
        connection.execute("UPDATE notes SET revision = revision + 1 WHERE id = 1")
    assert equal_at_last(declared)
    with psycopg.connect(left) as connection:
        assert connection.execute("SELECT revision FROM notes WHERE id = 1").fetchone() == (1,)


def test_both_are_taken_down(two: tuple[str, str, Replication]) -> None:
    left, right, declared = two
    set_up_both(declared)
    for each in both_ways([declared]):
        assert [text.split()[0] for text in teardown(each).done] == ["subscription", "slot", "publication"]
    for url in (left, right):
        with psycopg.connect(url) as connection:
            assert not subscriptions(connection)
            assert not publications(connection)


def test_ranges_keep_keys_apart(two: tuple[str, str, Replication]) -> None:
    left, right, declared = two
    ranged = replace(declared, keys=Ranges((1, 999), (1000, 1_000_000)))
    set_up_both(ranged)
    assert set_up_both(ranged) == []
    found = []
    for url in (left, right):
        with psycopg.connect(url, autocommit=True) as connection:
            found.append(
                connection.execute("INSERT INTO notes (author) VALUES ('new') RETURNING id").fetchone()
            )
    assert found == [(6,), (1002,)]
    assert equal_at_last(ranged)
