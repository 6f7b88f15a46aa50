"""All checks, in the order in which people would look."""

from __future__ import annotations

from dataclasses import dataclass

from novaops.replication.checks import (
    functions,
    identity,
    resources,
    rights,
    rows,
    shape,
    tables,
    topology,
    transactions,
)
from novaops.replication.checks.check import Check
from novaops.replication.checks.locked import patient
from novaops.replication.checks.scene import Scene
from novaops.replication.declaration import Replication
from novaops.replication.finding import Finding
from novaops.replication.pair import Pair

CHECKS: tuple[Check, ...] = (
    *identity.CHECKS,
    *resources.CHECKS,
    *rights.CHECKS,
    *tables.CHECKS,
    *shape.CHECKS,
    *rows.CHECKS,
    *functions.CHECKS,
    *topology.CHECKS,
    *transactions.CHECKS,
)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the checks found, in their order; `checks` is how many there were."""

    replication: Replication
    checks: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


def preflight(pair: Pair, replication: Replication, scene: Scene | None = None) -> Preflight:
    """Run every check; nothing is changed on either side."""
    seen = scene or Scene.of(pair, replication)
    found: list[Finding] = []
    with patient(pair):
        for each in CHECKS:
            found.extend(each.findings(seen))
            # Of one database with itself there is nothing else to say.
            if found and found[-1].name == "same-database":
                break
    return Preflight(replication, len(CHECKS), tuple(found))
