"""What becomes of each statement."""

import pytest

from novaops.desired.classify import classify
from novaops.desired.rules import Action
from novaops.desired.settings import Settings
from novaops.desired.split import File, Statement, split


def statement(text: str) -> Statement:
    (found,) = split(File.of("x.sql", text))
    assert isinstance(found, Statement)
    return found


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("ALTER SYSTEM SET work_mem = 1", Action.REFUSE),
        ("ALTER DATABASE d SET search_path = a", Action.REFUSE),
        ("CREATE USER u", Action.REFUSE),
        ("CREATE USER MAPPING FOR u SERVER s", Action.RUN),
        ("GRANT a, b TO c", Action.REFUSE),
        ("GRANT SELECT ON t TO c", Action.RUN),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA s TO c", Action.BARRIER),
        ("GRANT CONNECT ON DATABASE d TO c", Action.REPORT),
        ("REVOKE SET ON PARAMETER work_mem FROM c", Action.REFUSE),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO c", Action.BARRIER),
        ("COPY t TO PROGRAM 'rm'", Action.REFUSE),
        ("ROLLBACK", Action.REFUSE),
        ("PREPARE TRANSACTION 'x'", Action.REFUSE),
        ("BEGIN", Action.SKIP),
        ("SET statement_timeout = 0", Action.SKIP),
        ("SET search_path = a", Action.SETTING),
        ("SET standard_conforming_strings = off", Action.REFUSE),
        ("SELECT pg_catalog.set_config('search_path', '', false)", Action.SETTING),
        ("SELECT pg_catalog.setval('s', 1, true)", Action.SKIP),
        ("SELECT make_tables()", Action.PROBE),
        ("INSERT INTO t VALUES (1)", Action.REPORT),
        ("DO $$ BEGIN END $$", Action.PROBE),
        ("DROP SUBSCRIPTION s", Action.REFUSE),
        ("ALTER SUBSCRIPTION s ENABLE", Action.SKIP),
        ("CREATE TABLE t ()", Action.RUN),
    ],
)
def test_action(text: str, action: Action) -> None:
    assert classify(statement(text)).action is action


@pytest.mark.parametrize(
    "text",
    [
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
        "DROP INDEX CONCURRENTLY i",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
    ],
)
def test_concurrently_becomes_blanks(text: str) -> None:
    assert classify(statement(text)).sql == text.replace("CONCURRENTLY", " " * 12)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", " WITH (connect = false)"),
        (
            " WITH (enabled, copy_data = true, slot_name = 'a,b', create_slot=true)",
            " WITH (connect = false, slot_name = 'a,b')",
        ),
    ],
)
def test_subscriptions_never_connect(options: str, expected: str) -> None:
    text = "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p"
    assert classify(statement(text + options)).sql == text + expected


def settings(*texts: str) -> Settings:
    found = Settings()
    for text in texts:
        change = classify(statement(text)).change
        assert change is not None
        found = found.after(change)
    return found


def test_settings_of_a_place_are_reached_from_any_other() -> None:
    first = settings("SET search_path = a", "SET ROLE r")
    second = settings("SET LOCAL search_path TO b, c", "SET default_tablespace = ''")
    assert second.reached_from(first) == [
        "RESET role",
        "SET default_tablespace = ''",
        "SET search_path TO b, c",
    ]
    assert Settings().reached_from(first) == ["RESET role", "RESET search_path"]
    assert first.reached_from(first) == []


def test_reset_takes_a_setting_back() -> None:
    assert settings("SET search_path = a", "RESET search_path") == Settings()
    assert settings("SET search_path = a", "SET search_path TO DEFAULT") == Settings()
