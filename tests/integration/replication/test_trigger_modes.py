"""Modes of triggers: told, compared with the declaration, put right on every partition."""

from __future__ import annotations

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.replication.declaration import ReplicatedTable, TriggerMode
from novaops.replication.set_up import held
from novaops.replication.set_up.held import set_modes
from novaops.replication.trigger_modes import Change, due, findings, standings

TABLES = (ReplicatedTable("public", "event", trigger_modes={"notify": "always", "Embed": "replica"}),)
PARTITIONED = """
CREATE TABLE event (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE event_eu PARTITION OF event FOR VALUES IN ('eu') PARTITION BY RANGE (id);
CREATE TABLE event_eu_1 PARTITION OF event_eu FOR VALUES FROM (0) TO (100);
CREATE TABLE "event US" PARTITION OF event FOR VALUES IN ('us');
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('event', ''); RETURN NULL; END $$;
CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER notify AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER "Embed" AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION g();
CREATE TRIGGER other AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION g();
"""


def enforce(connection: psycopg.Connection) -> list[Change]:
    changes = due(connection, TABLES)
    set_modes(connection, changes, resync=False)
    return changes


def modes(connection: psycopg.Connection, trigger: str) -> dict[str, TriggerMode]:
    found = standings(connection, TABLES)
    return {s.trigger.table: s.trigger.mode for s in found if s.trigger.name == trigger}


def test_modes_are_set_on_the_table_and_on_every_partition(database: psycopg.Connection) -> None:
    database.execute(PARTITIONED)
    assert len(enforce(database)) == 8, "two triggers of four relations"
    assert set(modes(database, "notify").values()) == {"always"}
    assert modes(database, "Embed").keys() == {"event", "event_eu", "event_eu_1", "event US"}
    assert set(modes(database, "Embed").values()) == {"replica"}
    assert modes(database, "other") == {"event": "origin"}, "what is not declared keeps its mode"
    assert enforce(database) == []


def test_a_partition_with_another_mode_is_found_and_put_right(database: psycopg.Connection) -> None:
    database.execute(PARTITIONED)
    enforce(database)
    database.execute('ALTER TABLE ONLY "event US" DISABLE TRIGGER notify')
    (finding,) = findings(standings(database, TABLES), TABLES)
    assert finding.name == "trigger-mode"
    assert finding.message == 'notify on "event US" is in the mode disabled, declared is always'
    assert finding.detail == "it never notifies"
    (change,) = enforce(database)
    assert str(change) == 'notify on "event US": disabled → always'


def test_create_or_replace_resets_the_mode(database: psycopg.Connection) -> None:
    database.execute(PARTITIONED)
    enforce(database)
    database.execute(
        "CREATE OR REPLACE TRIGGER notify AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION f()"
    )
    found = findings(standings(database, TABLES), TABLES)
    assert {f.detail for f in found} == {"it notifies for local rows, not for replicated ones"}
    assert len(enforce(database)) == 4


def test_a_trigger_that_is_not_there(database: psycopg.Connection) -> None:
    database.execute("CREATE TABLE event (id int PRIMARY KEY)")
    found = findings(standings(database, TABLES), TABLES)
    assert {(f.name, f.severity) for f in found} == {("trigger-missing", "error")}
    assert found[0].message == "event has no trigger notify, for which a mode is declared"


def test_a_locked_table_is_named(database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    database.execute(PARTITIONED)
    monkeypatch.setattr(held, "TRIES", 1)
    with psycopg.connect(database.info.dsn, password=database.info.password) as other:
        other.execute("LOCK TABLE event IN SHARE MODE")
        with pytest.raises(
            NovaopsError, match=r"a table is locked: the modes of Embed on event, .* were not set"
        ):
            enforce(database)
    assert set(modes(database, "notify").values()) == {"origin"}, "nothing is half done"
