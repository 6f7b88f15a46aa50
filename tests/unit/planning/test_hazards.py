"""Consent: by name, by code, by object, never by accident."""

from __future__ import annotations

import pytest

from novaops.errors import UsageError
from novaops.kinds.kind import Kind, Risk, Scene
from novaops.planning.changes import Alter, Create, Drop, Replace
from novaops.planning.hazard_codes import HAZARDS, consent, hazard_code, with_consent
from novaops.planning.hazards import assess, hazard, risks
from novaops.planning.plan import Plan, PlannedChange, Statement, Target
from tests.unit.planning.made_up import KINDS, made, snapshot

LOSS = hazard("data-loss", "public.users", "loses 2 rows", 2, 2)
TARGET = Target("d", "h", 5432, "u", "18", "1")


def planned() -> Plan:
    return Plan(
        TARGET,
        "a",
        "b",
        changes=(PlannedChange("drop", "table", "public.users", hazards=(LOSS,)),),
        statements=(
            Statement("DROP TABLE public.users", 1, "table", "public.users", "drop", hazards=(LOSS,)),
        ),
        blocked=(LOSS,),
    )


def test_codes_and_names_are_unique() -> None:
    assert len({h.code for h in HAZARDS.values()}) == len(HAZARDS)
    assert all(hazard_code(h.code) is hazard_code(h.name) is h for h in HAZARDS.values())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("data-loss", "data-loss"),
        ("H101", "data-loss"),
        ("h101:public.users", "data-loss:public.users"),
        ("data-loss: public.a:b ", "data-loss:public.a:b"),
        ("ALL", "all"),
    ],
)
def test_consent_is_written_by_name(text: str, written: str) -> None:
    assert consent(text) == written


@pytest.mark.parametrize("text", ["data-lose", "H999", "", "all:public.users", "data-loss:", ":x"])
def test_consent_to_nothing_known_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        consent(text)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"data-loss:public.users"}, True),
        ({"data-loss"}, True),
        ({"all"}, True),
        (set(), False),
        ({"data-loss:public.user"}, False),
        ({"data-loss:public.users.id"}, False),
        ({"narrowing", "narrowing:public.users"}, False),
    ],
)
def test_consent_covers_what_it_names(given: set[str], allowed: bool) -> None:
    marked = with_consent(planned(), dict.fromkeys(given, ""))
    assert (marked.blocked == ()) is allowed
    assert [h.allowed for c in marked.changes for h in c.hazards] == [allowed]
    assert [h.allowed for s in marked.statements for h in s.hazards] == [allowed]


def test_consent_once_given_stays() -> None:
    assert with_consent(with_consent(planned(), {"all": ""}), {}).blocked == ()


class Risky(Kind):
    name = "box"

    def risks(self, old, new, changed, scene):  # type: ignore[no-untyped-def]
        return [Risk("data-loss", old.identity, "rows" if new is None else "values")]


@pytest.fixture
def risky(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {**KINDS, "box": Risky()}
    monkeypatch.setattr("novaops.planning.nodes.registry", lambda: kinds)


def test_risks_are_told_once_where_the_container_goes(risky: None) -> None:
    outer = made("box", "outer")
    inner = made("box", "inner", outer)
    live = snapshot(outer, inner)
    scene = Scene(live, snapshot(), 180000)
    changes = {o.address: Drop(o) for o in (outer, inner)}
    assert [r.subject for r in risks(changes[outer.address], changes, scene)] == ["outer"]
    assert risks(changes[inner.address], changes, scene) == ()
    alone = {inner.address: Drop(inner)}
    assert [r.subject for r in risks(alone[inner.address], alone, scene)] == ["outer.inner"]


def test_creating_and_only_commenting_risk_nothing(risky: None) -> None:
    box = made("box", "b")
    scene = Scene(snapshot(box), snapshot(box), 180000)
    assert risks(Create(box), {}, scene) == ()
    assert risks(Alter(box, box, comment=True), {}, scene) == ()
    assert len(risks(Alter(box, box, frozenset({"size"})), {}, scene)) == 1
    assert len(risks(Replace(box, box), {}, scene)) == 1


def test_without_a_connection_every_risk_is_a_hazard(risky: None) -> None:
    box = made("box", "b")
    found = assess({box.address: Drop(box)}, Scene(snapshot(box), snapshot(), 180000), None)
    assert [h.consent for h in found.hazards[box.address]] == ["data-loss:b"]
    assert found.guards == {}


def test_the_closest_consent_gives_the_reason() -> None:
    given = {"all": "everything", "data-loss:public.users": "moved to people"}
    (loss,) = with_consent(planned(), given).changes[0].hazards
    assert loss.reason == "moved to people"
    assert with_consent(planned(), given).consents == given
