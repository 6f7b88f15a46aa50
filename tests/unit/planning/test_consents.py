"""A consent in novaops.toml is for one hazard of one object, says why, and ends when it says so."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from novaops.errors import UsageError
from novaops.planning.consents import standing, with_reasons

TODAY = date(2026, 11, 25)
WHOLE = '[[allow]]\nhazard = "H101"\nobject = "public.t.c"\nreason = "not used"\n'


def read(text: str) -> dict[str, str]:
    return standing(tomllib.loads(text).get("allow", []), TODAY)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        (WHOLE, {"data-loss:public.t.c": "not used"}),
        (WHOLE + "until = 2026-11-25", {"data-loss:public.t.c": "not used"}),
        (WHOLE + "until = 2026-11-24", {}),
        (
            WHOLE + WHOLE.replace("t.c", "t.d"),
            {"data-loss:public.t.c": "not used", "data-loss:public.t.d": "not used"},
        ),
    ],
)
def test_standing(text: str, found: dict[str, str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WHOLE.replace("reason", "because"), "number 1 .* unknown key because"),
        (WHOLE.replace('reason = "not used"', ""), "has no reason"),
        (WHOLE.replace('"not used"', '" "'), "has no reason"),
        (WHOLE.replace('object = "public.t.c"', ""), "has no object"),
        (WHOLE.replace("H101", "H999"), "there is no hazard"),
        (WHOLE.replace("H101", "all"), "allows everything"),
        (WHOLE + 'until = "soon"', "until is not a date"),
        (WHOLE + "until = 2026-11-24T10:00:00", "until is not a date"),
        ("allow = 1", "not a list"),
    ],
)
def test_what_is_no_consent(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(text)


def test_reasons() -> None:
    assert with_reasons(["H101", "all"], "I said so") == {"data-loss": "I said so", "all": "I said so"}
    assert with_reasons({"H101:t": "old"}, "not this") == {"data-loss:t": "old"}
