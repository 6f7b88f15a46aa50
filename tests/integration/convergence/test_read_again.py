"""A database restored from a dump by pg_dump is no other one, though PostgreSQL reads its own text differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg

from novaops import plan
from novaops.planning.diff import diff
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, snapshot

SCHEMA = """
CREATE TABLE task (
    id int PRIMARY KEY,
    state varchar(9) DEFAULT 'new' CHECK (state IN ('new', 'old', 'gone')),
    open boolean GENERATED ALWAYS AS (state NOT IN ('old', 'gone')) STORED
);
CREATE INDEX ON task (id) WHERE state IN ('new', 'old');
CREATE DOMAIN kind AS varchar CHECK (value IN ('a', 'b'));
CREATE VIEW living AS SELECT id, state IN ('new', 'old') AS fresh FROM task WHERE state NOT IN ('gone', 'dead');
CREATE POLICY mine ON task USING (state IN ('new', 'old'));
CREATE FUNCTION fresh(state varchar) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT state IN ('new', 'old'); END;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON task FOR EACH ROW WHEN (old.state IN ('new', 'old')) EXECUTE FUNCTION touch();
"""


def test_dumped_and_restored(
    new_database: Callable[..., str], psql: Callable[..., str], pg_dump: Callable[..., str]
) -> None:
    original, restored = new_database(), new_database()
    with psycopg.connect(original, autocommit=True) as connection:
        connection.execute(SCHEMA)
        first = snapshot(connection)
    psql(restored, input=pg_dump(original, "--schema-only"))
    with psycopg.connect(restored, autocommit=True) as connection:
        second = snapshot(connection)
    assert any(first[a].attributes != second[a].attributes for a in first.objects)
    restoring = replace(MANAGED, restored=True)
    assert diff(first, second, EVERYTHING, restoring) == {}
    assert diff(second, first, EVERYTHING, restoring) == {}


def test_pg_dump_says_itself_that_it_wrote_a_file(
    new_database: Callable[..., str], pg_dump: Callable[..., str], tmp_path: Path
) -> None:
    url, dumped, by_hand = new_database(), tmp_path / "dumped.sql", tmp_path / "by_hand.sql"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    dumped.write_text(pg_dump(url, "--schema-only"))
    # The same statements, of somebody who wants them as they stand: pg_dump tells them from what there is.
    by_hand.write_text(dumped.read_text().replace("-- PostgreSQL database dump\n", "", 1))
    assert plan(url, dumped).statements == ()
    assert plan(url, by_hand).statements != ()
