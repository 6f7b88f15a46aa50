"""`replicate`: look at both sides, try a row, then set up what is declared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from novaops.errors import RefusedError
from novaops.planning.consents import with_reasons
from novaops.progress import Reporter, Silent
from novaops.replication.checks import Preflight, Scene, preflight
from novaops.replication.declaration import Replication
from novaops.replication.finding import Finding
from novaops.replication.pair import Pair, open_pair
from novaops.replication.probe import Probe, probe
from novaops.replication.set_up import Outcome, pending, set_up
from novaops.replication.set_up.run import WAIT


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found about a replication, and what a set-up would do."""

    replication: Replication
    same_server: bool
    preflight: Preflight
    probe: Probe | None
    pending: tuple[str, ...]
    """Empty: everything is as declared. Where errors are in the way it is what could be told."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.preflight.findings, *(self.probe.findings if self.probe else ()))

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


class PreflightError(RefusedError):
    """Something stands in the way of a set-up; nothing was done."""

    def __init__(self, checked: Checked) -> None:
        first, count = checked.errors[0], len(checked.errors)
        more = f", and {count - 1} more" if count > 1 else ""
        super().__init__(
            f"{checked.replication.name} cannot be set up: {first.message}{more}",
            detail=first.detail,
            hint=first.remedy,
        )
        self.checked = checked


def both_ways(found: Sequence[Replication]) -> list[Replication]:
    """Each of them, and of those in two directions the other one as well."""
    return [each for one in found for each in ((one, one.reversed()) if one.direction == "both" else (one,))]


def check(
    replication: Replication,
    reporter: Reporter | None = None,
    *,
    dry_apply: bool = False,
    allow: Collection[str] = (),
) -> Checked:
    """The pre-flight, which only reads; with `dry_apply` a row of each table is tried and rolled back."""
    with open_pair(replication) as pair:
        return checked(pair, replication, reporter or Silent(), dry_apply=dry_apply, allow=allow)


def checked(
    pair: Pair,
    replication: Replication,
    reporter: Reporter,
    *,
    dry_apply: bool | None,
    allow: Collection[str] = (),
) -> Checked:
    """The same of a pair that is open; None tries a row if there is something to set up and the role may."""
    with reporter.phase(f"looking at {replication.source.database} and {replication.target.database}"):
        scene = Scene.of(pair, replication, with_reasons(allow))
        found = preflight(pair, replication, scene)
    todo: tuple[str, ...] = ()
    if not found.errors:
        todo = pending(pair, replication)
    wanted = bool(todo) and scene.target.server.may_set_replication_role if dry_apply is None else dry_apply
    tried = probe(scene, reporter) if wanted and not found.errors else None
    return Checked(replication, pair.same_server, found, tried, todo)


def replicate(
    replication: Replication,
    reporter: Reporter | None = None,
    *,
    wait: timedelta = WAIT,
    lock_wait: timedelta = timedelta(0),
    allow: Collection[str] | Mapping[str, str] = (),
) -> tuple[Checked, Outcome]:
    """Check, then set up and prove; where everything is as declared nothing is changed.

    `allow` are the consents to a loss of rows (`data-loss:TABLE`). Raises `PreflightError` when something is in the way, `NovaopsError` when a step or the proof fails;
    what the set-up has made is undone then.
    """
    told = reporter or Silent()
    with open_pair(replication) as pair:
        found = checked(pair, replication, told, dry_apply=None, allow=allow)
        if found.errors:
            raise PreflightError(found)
        return found, set_up(pair, replication, told, wait=wait, lock_wait=lock_wait, allow=allow)
