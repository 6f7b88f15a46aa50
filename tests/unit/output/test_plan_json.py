"""The artifact: complete, stable, and read back as it was written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from novaops.errors import NovaopsError
from novaops.output.json import plan_from_json, plan_to_json
from novaops.output.plan import load_plan, save_plan
from novaops.planning.plan import Plan
from tests.unit.output.handmade_plans import EMPTY, FULL, REFUSED


@pytest.mark.parametrize("plan", [FULL, EMPTY, REFUSED, replace(FULL, rehearsal={"converges": True})])
def test_round_trip(plan: Plan) -> None:
    assert plan_from_json(plan_to_json(plan)) == plan


def test_the_contract() -> None:
    value = json.loads(plan_to_json(FULL))
    assert value["format_version"] == 1
    assert value["target"] == {
        "database": "nova_memory", "host": "db1", "port": 5432, "user": "nova",
        "server_version": "18.4 (Debian 18.4-1)", "system_identifier": "7391",
    }  # fmt: skip
    assert value["summary"] == {"create": 3, "alter": 1, "drop": 1, "replace": 1, "rename": 1}
    hazard = {
        "hazard": "data-loss", "code": "H101", "object": "public.entities.legacy_id", "affected": 1198,
        "message": "loses 1,198 values (of 1,204 rows)", "total": 1204, "allowed": False,
        "consent": "data-loss:public.entities.legacy_id", "query": None, "pending": False, "reason": None,
            "also": [],
    }  # fmt: skip
    assert value["blocked"] == [hazard]
    change = value["changes"][4]
    assert (change["operation"], change["kind"], change["object"]) == (
        "drop",
        "column",
        "public.entities.legacy_id",
    )
    assert change["hazards"] == [hazard]
    assert value["changes"][1]["source"] == {"file": "schema.sql", "line": 188, "column": 14}
    statement = value["statements"][1]
    assert statement["locks"] == ["ACCESS EXCLUSIVE"]
    assert statement["hazards"] == [hazard]
    assert [s["transaction"] for s in value["statements"]] == [1, 1, 2, None]
    assert value["skipped"] == ["public.a", "public.b"]
    assert value["unmanaged"] == []
    assert value["rehearsal"] is None


def test_a_terminal_can_be_shown_the_json() -> None:
    evil = "a\x1b[2J\x9b\x7f\u202e\nb"
    text = plan_to_json(replace(FULL, notices=(evil,)))
    assert not set(text) & set("\x1b\x9b\x7f\u202e")
    assert json.loads(text)["notices"] == [evil]


def broken(**values: Any) -> str:
    return json.dumps({**json.loads(plan_to_json(FULL)), **values})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CREATE TABLE t ();", "p.json is not JSON"),
        ("[1]", "p.json is not a plan: it has no format_version"),
        ("{}", "p.json is not a plan: it has no format_version"),
        (broken(format_version=2), "p.json has format_version 2; this novaops reads 1"),
        (broken(target={"host": "db1"}), "p.json is not a whole plan"),
        (
            broken(target={**json.loads(plan_to_json(FULL))["target"], "database": ""}),
            "p.json is not a whole plan",
        ),
        (broken(statements=[{"sql": "SELECT 1"}]), "p.json is not a whole plan"),
        (broken(changes=None), "p.json is not a whole plan"),
    ],
)
def test_what_is_not_a_plan_is_refused(text: str, message: str) -> None:
    with pytest.raises(NovaopsError) as error:
        plan_from_json(text, "p.json")
    assert error.value.message == message
    assert error.value.hint


def test_the_file_is_private_and_replaced_whole(tmp_path: Any) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)
    save_plan(FULL, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_plan(path) == FULL
    assert list(tmp_path.iterdir()) == [path]
