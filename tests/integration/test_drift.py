"""A plan tells what was changed in the files since the last apply, and what in the database."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.output.json import plan_from_json, plan_to_json
from novaops.output.markdown import plan_to_markdown
from novaops.output.text import render_plan
from novaops.planning.plan import Plan
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
DECLARED = """
CREATE TABLE a (x int, y text);
CREATE TABLE b (x int, y text);
CREATE TABLE c (x int);
CREATE VIEW of_b AS SELECT y FROM b;
COMMENT ON TABLE a IS 'first';
COMMENT ON TABLE b IS 'first';
COMMENT ON TABLE c IS 'first';
"""


@pytest.fixture
def live(new_database: Callable[..., str]) -> Iterator[Connection]:
    with psycopg.connect(new_database("drift"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def planned(live: Connection, tmp_path: Path) -> Iterator[Callable[[str], Plan]]:
    """`planned(sql)` is the plan for files of that text, after an apply of `DECLARED`."""
    file = tmp_path / "schema.sql"
    file.write_text(DECLARED)
    info = live.info
    conninfo = {**info.get_parameters(), "password": info.password}
    with Project(conninfo, file, Options(ignore_file=None)) as project:
        project.apply()

        def plan(sql: str) -> Plan:
            file.write_text(sql)
            return project.plan()

        yield plan


def origins(plan: Plan) -> dict[str, str | None]:
    return {change.object: change.origin for change in plan.changes}


def test_changes_of_one_side_and_of_both(live: Connection, planned: Callable[[str], Plan]) -> None:
    live.execute("COMMENT ON TABLE b IS 'live'; COMMENT ON TABLE c IS 'live'; CREATE TABLE made_live ()")
    plan = planned(
        DECLARED.replace("TABLE a IS 'first'", "TABLE a IS 'new'").replace(
            "TABLE c IS 'first'", "TABLE c IS 'new'"
        )
        + "CREATE TABLE declared ();"
    )
    assert origins(plan) == {
        "public.a": "file",
        "public.b": "live",
        "public.c": "both",
        "public.declared": "file",
        "public.made_live": "live",
    }


def test_what_was_dropped(live: Connection, planned: Callable[[str], Plan]) -> None:
    live.execute("DROP TABLE a")
    plan = planned(
        DECLARED.replace("CREATE TABLE c (x int);", "").replace("COMMENT ON TABLE c IS 'first';", "")
    )
    assert origins(plan) == {"public.a": "live", "public.c": "file"}


def test_grants_given_live(live: Connection, planned: Callable[[str], Plan]) -> None:
    live.execute("GRANT SELECT, UPDATE ON a TO PUBLIC")
    assert origins(planned(DECLARED + "GRANT SELECT ON a TO PUBLIC;")) == {"public.a": "live"}


def test_what_is_rebuilt_has_the_origin_of_its_reason(
    live: Connection, planned: Callable[[str], Plan]
) -> None:
    live.execute("DROP VIEW of_b; ALTER TABLE b ALTER y TYPE varchar; CREATE VIEW of_b AS SELECT y FROM b")
    before = origins(planned(DECLARED))
    assert before["public.b.y"] == "live"
    assert before["public.of_b"] == "live"
    plan = planned(DECLARED.replace("b (x int, y text)", "b (x int, y varchar)"))
    assert origins(plan) == {}


def test_nothing_is_said_without_a_journal(live: Connection, planned: Callable[[str], Plan]) -> None:
    live.execute("DROP SCHEMA novaops CASCADE; COMMENT ON TABLE b IS 'live'")
    plan = planned(DECLARED)
    assert plan.last_applied is None
    assert origins(plan) == {"public.b": None}


def test_another_major_version_is_not_compared(live: Connection, planned: Callable[[str], Plan]) -> None:
    """Its deparsed text may differ."""
    (state,) = live.execute("SELECT state FROM novaops.journal").fetchone() or (b"",)
    version, objects = json.loads(zlib.decompress(state))
    other = zlib.compress(json.dumps([version - 1, objects]).encode())
    live.execute("UPDATE novaops.journal SET state = %s", [other])
    live.execute("COMMENT ON TABLE b IS 'live'")
    assert origins(planned(DECLARED)) == {"public.b": None}


def test_it_is_told_in_every_form(live: Connection, planned: Callable[[str], Plan]) -> None:
    live.execute("COMMENT ON TABLE b IS 'live'; COMMENT ON TABLE c IS 'live'")
    plan = planned(DECLARED.replace("TABLE c IS 'first'", "TABLE c IS 'new'"))
    (day,) = live.execute("SELECT to_char(finished, 'YYYY-MM-DD') FROM novaops.journal").fetchone() or ("",)
    for text in (render_plan(plan), plan_to_markdown(plan)):
        assert f"changed live since {day}, history 1" in text
        assert f"changed in the files and live since {day}, history 1" in text
    saved = json.loads(plan_to_json(plan))
    assert [c["origin"] for c in saved["changes"]] == ["live", "both"]
    assert saved["last_applied"] == {"history": 1, "day": day}
    assert plan_from_json(json.dumps(saved)) == plan
