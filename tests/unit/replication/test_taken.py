"""What a set-up writes into the journal is read again as what it was; what another version wrote is told."""

from __future__ import annotations

from dataclasses import fields

import pytest

from novaops.errors import NovaopsError
from novaops.replication.set_up.journal import Made
from novaops.replication.set_up.taken import (
    KINDS,
    ModeSet,
    PublicationAltered,
    SlotMade,
    entry,
    of_kind,
    read,
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_comes_back_as_it_was(kind: str) -> None:
    cls = KINDS[kind]
    step = (
        PublicationAltered("p", ("ALTER …", "ALTER …"))
        if cls is PublicationAltered
        else cls(*(field.name for field in fields(cls)))
    )
    assert read(entry(step)) == step
    assert entry(step).kind == kind


@pytest.mark.parametrize(
    "made", [Made("colour", "blue"), Made("trigger mode", "t"), Made("slot", "s", ("x",))]
)
def test_an_unknown_step_is_told(made: Made) -> None:
    with pytest.raises(NovaopsError, match=f"does not know: {made.kind} {made.name}") as refused:
        read(made)
    assert "novaops.replication_run" in str(refused.value.hint)


def test_steps_of_one_kind() -> None:
    made = [entry(SlotMade("s")), entry(ModeSet("t", "origin")), entry(ModeSet("u", "always"))]
    assert [step.former for step in of_kind(made, ModeSet)] == ["origin", "always"]
