"""What a rehearsal is to people, to plans as JSON, and to the exit code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novaops.cli.verdict import FAILED, REFUSED, verdict
from novaops.execution.rehearsal import Rehearsal
from novaops.output.markdown import plan_to_markdown
from novaops.output.outcome import outcome_lines
from novaops.project import Outcome
from novaops.project.apply import not_led_there
from tests.unit.output.handmade_plans import FULL

PROVEN = Rehearsal(True, pg_dump="agrees", fingerprint="77c0")


@pytest.mark.parametrize(
    ("rehearsal", "said"),
    [
        (PROVEN, "rehearsed on a copy: converges; pg_dump agrees"),
        (replace(PROVEN, left_out=("publication p",)), "…; the copy lacks publication p"),
        (replace(PROVEN, not_run=("DROP SUBSCRIPTION s",)), "…; 1 not run, as they reach other servers"),
        (
            replace(PROVEN, compared=False),
            "rehearsed on a copy: every statement ran, the result was not compared; …",
        ),
        (Rehearsal(True, ("table t",)), "the rehearsal does not converge; still different: table t"),
        (Rehearsal(True, ("TABLE t",), pg_dump="disagrees"), "…; pg_dump disagrees: TABLE t"),
        (Rehearsal(True, error="DROP x: no"), "the rehearsal failed: DROP x: no"),
        (Rehearsal(False, ("table t",)), "not rehearsed: the copy differs from the live schema (table t)"),
        (Rehearsal(False, error="no room"), "not rehearsed: no room"),
    ],
)
def test_it_is_said_in_few_words(rehearsal: Rehearsal, said: str) -> None:
    start, _, end = said.partition("…")
    assert str(rehearsal).startswith(start)
    assert str(rehearsal).endswith(end)
    assert "…" in said or str(rehearsal) == said


@pytest.mark.parametrize("rehearsal", [PROVEN, Rehearsal(False, ("a", "b"), not_run=("c",), left_out=("d",))])
def test_it_comes_back_from_json(rehearsal: Rehearsal) -> None:
    assert Rehearsal.of(rehearsal.as_json()) == rehearsal


def test_a_plan_that_was_not_rehearsed_shows_nothing() -> None:
    assert not Rehearsal.of(None).faithful
    assert not Rehearsal.of(None).failed


def test_a_failed_rehearsal_fails_the_plan_unless_a_hazard_refuses_it() -> None:
    failed = replace(FULL, rehearsal=Rehearsal(True, ("table t",)).as_json())
    assert verdict(failed, False, False) == FAILED
    assert verdict(failed, True, False) == REFUSED
    assert verdict(replace(failed, rehearsal=PROVEN.as_json()), False, False) == 0


def test_a_pull_request_is_told() -> None:
    assert "does not converge; still different: table t" in plan_to_markdown(
        replace(FULL, rehearsal=Rehearsal(True, ("table t",)).as_json())
    )


@pytest.mark.parametrize(
    ("rehearsal", "commands"),
    [
        (
            Rehearsal(True, ("table t",)),
            ("--format json", "--format sql", "--no-rehearse", ".pgschemaignore"),
        ),
        (Rehearsal(True, error="DROP x: no"), ("--format json", "--format sql")),
    ],
)
def test_one_that_failed_tells_how_to_go_on(rehearsal: Rehearsal, commands: tuple[str, ...]) -> None:
    error = not_led_there(rehearsal)
    assert error.detail == str(rehearsal)
    assert all(command in str(error.hint) for command in commands)


def test_only_what_does_not_converge_is_a_defect_of_novaops() -> None:
    refused = not_led_there(Rehearsal(True, error="ALTER x: tables can have at most 1600 columns [54011]"))
    assert refused.message.startswith("PostgreSQL refused a statement of the plan")
    assert "54011" in str(refused.detail)
    assert "defect" not in str(refused.hint)
    assert "defect of novaops" in str(not_led_there(Rehearsal(True, ("table t",))).hint)


def test_an_apply_after_which_something_differs_tells_how_to_go_on() -> None:
    *_, name, hint = outcome_lines(FULL, Outcome(3, 0.1, ("table t",), compared=True))
    assert str(name).strip() == "table t"
    assert "novaops plan" in str(hint)
    assert ".pgschemaignore" in str(hint)
