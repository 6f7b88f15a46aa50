"""The whole way of a change through all databases, as it is shown before anything is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from novaops.planning.plan import Hazard, Plan
from novaops.replication.declaration import Replication
from novaops.replication.schema_change.intents import Intent
from novaops.replication.schema_change.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Leg:
    """What one target goes through. Where nothing of its tables changes, everything in it is empty."""

    replication: Replication
    intents: tuple[Intent, ...]
    refusals: tuple[Refusal, ...]
    relax: Plan
    restrict: Plan
    """As far as it can be told: it is planned anew from what is there then."""
    narrow: tuple[str, ...] = ()
    widen: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Two directions: what keeps the target from sending columns that the source loses."""
    pauses: str | None = None
    """Two directions: the subscription of the source that waits meanwhile."""
    copies: tuple[str, ...] = ()
    """Tables whose rows are compared and brought into line."""
    resumed: bool = False
    """Whether a run for it was cut off."""

    @property
    def todo(self) -> bool:
        return bool(
            self.intents or self.resumed or self.narrow or self.widen or self.relax.todo or self.restrict.todo
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the order in which they are taken: in which database, and what."""

    name: str
    database: str
    text: str
    plan: Plan | None = None
    statements: tuple[str, ...] = ()


@dataclass(frozen=True)
class Course:
    """The plan of the source, and what each of the targets goes through before and after it."""

    source: Plan
    legs: tuple[Leg, ...]

    @property
    def todo(self) -> bool:
        return self.source.todo or any(leg.todo for leg in self.legs)

    @property
    def blocked(self) -> tuple[Hazard, ...]:
        plans = (self.source, *(plan for leg in self.legs for plan in (leg.relax, leg.restrict)))
        return tuple({h.consent: h for plan in plans for h in plan.blocked}.values())

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(dict.fromkeys(refusal for leg in self.legs for refusal in leg.refusals))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All that there is to do, in order."""
        legs = [leg for leg in self.legs if leg.todo]
        return (
            *(step for leg in legs for step in _before(leg)),
            *([Step("source", self.source.target.database, f"as {self.source.files} declares", self.source)]
              if self.source.todo else ()),
            *(step for leg in legs for step in _after(leg)),
        )  # fmt: skip


def _before(leg: Leg) -> Iterator[Step]:
    replication = leg.replication
    source, target = replication.source.database, replication.target.database
    if leg.without:
        yield Step("publish less", target, "sends no column that goes", statements=leg.without)
    if leg.pauses:
        yield Step("pause", source, f"{leg.pauses} waits; {target} keeps what it writes meanwhile")
    if leg.relax.todo:
        yield Step("relax", target, "takes rows of both shapes", leg.relax)
    if leg.narrow:
        yield Step(
            "publish less", source, f"{replication.publication} sends what stays", statements=leg.narrow
        )


def _after(leg: Leg) -> Iterator[Step]:
    replication = leg.replication
    source, target = replication.source.database, replication.target.database
    if leg.widen:
        yield Step("publish", source, f"{replication.publication} as declared", statements=leg.widen)
    if leg.pauses:
        yield Step("resume", source, f"{leg.pauses} goes on")
    yield Step("drain", target, "what was sent in the old shape is there")
    if leg.copies:
        yield Step("copy", target, f"values that no row brings, of {', '.join(leg.copies)}")
    if leg.restrict.todo:
        yield Step("restrict", target, "what the new shape allows, and no more", leg.restrict)
    if leg.without:
        yield Step("publish", target, "sends all that is declared again")
    yield Step("proof", target, "rows arrive, and are equal")
