"""Rows of the target that would be lost, and the consent that lets them go: `data-loss:public.agent_chat`.

A row of the target that disappears or is overwritten may have been written there by somebody: that it once came from
the source nothing proves, not even equal keys. So whoever lets it go names the table, as for `novaops apply`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from novaops.errors import RefusedError
from novaops.invocation import command_line
from novaops.planning.hazard_codes import EVERYTHING
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.proof.compare import Difference, Kind, TableComparison

HAZARD = "data-loss"
VERBS: dict[Kind, str] = {"different": "overwritten", "extra": "deleted"}
SHOWN = 10
"""Keys that a refusal names, of each table and kind."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows of one table of the target that would be overwritten with the source's, or deleted."""

    table: ReplicatedTable
    key: tuple[str, ...]
    overwritten: int
    deleted: int
    shown: tuple[Difference, ...] = ()

    @property
    def consent(self) -> str:
        """What has to be allowed for it."""
        return consent(self.table)

    def __str__(self) -> str:
        """Table and numbers: `agent_chat: 2 rows overwritten, 1 row deleted`."""
        counts = [(self.overwritten, "overwritten"), (self.deleted, "deleted")]
        return f"{self.table}: " + ", ".join(
            f"{number} row{'s' * (number > 1)} {verb}" for number, verb in counts if number
        )

    def keys(self) -> list[str]:
        """A line for each kind of loss, with the first keys."""
        kinds: tuple[Kind, ...] = ("different", "extra")
        return [f"{VERBS[kind]}: {shown}" for kind in kinds if (shown := self.shown_keys(kind))]

    def shown_keys(self, kind: Kind) -> str:
        """`id 4, 5 and 7 more`, or `(a, b) (1, x)`."""
        keys = [d.key for d in self.shown if d.kind == kind][:SHOWN]
        if not keys:
            return ""
        count = self.overwritten if kind == "different" else self.deleted
        more = f" and {count - len(keys)} more" if count > len(keys) else ""
        if len(self.key) == 1:
            return f"{self.key[0]} {', '.join(key[0] for key in keys)}{more}"
        tuples = [f"({', '.join(key)})" for key in keys]
        return f"({', '.join(self.key)}) {', '.join(tuples)}{more}"


def consent(table: ReplicatedTable) -> str:
    """The hazard and the table, as `--allow` takes it."""
    return f"{HAZARD}:{table.qualified}"


def may_lose(allow: Collection[str], table: ReplicatedTable) -> bool:
    """Whether rows of the target's table may be overwritten and deleted; `allow` as `hazard_codes.consent()` writes it."""
    return not {EVERYTHING, HAZARD, consent(table)}.isdisjoint(allow)


def loses(replication: Replication, kind: Kind) -> bool:
    """Whether making the target equal would take such a row away from it.

    In two directions a row that one side has alone goes to the other, and where both have it the source of the
    declaration wins: the way back overwrites nothing.
    """
    if replication.direction == "both":
        return kind == "different" and not replication.reverse
    return kind != "missing"


def losses(replication: Replication, compared: Iterable[TableComparison]) -> list[Loss]:
    """What the target would lose, of the tables that were compared."""
    found = []
    for table in compared:
        overwritten = table.different if loses(replication, "different") else 0
        deleted = table.extra if loses(replication, "extra") else 0
        if overwritten or deleted:
            shown = tuple(d for d in table.shown if loses(replication, d.kind))
            found.append(Loss(table.table, table.key, overwritten, deleted, shown))
    return found


def check_losses(
    replication: Replication,
    compared: Iterable[TableComparison],
    allow: Collection[str],
    command: str = "replicate",
    *options: str,
) -> list[Loss]:
    """What is lost with consent; raises `RefusedError` for what nobody has consented to.

    `command` with `options` is the one that would go on: `replicate`, `replicate rebuild`, `replicate compare --repair`.
    """
    found = losses(replication, compared)
    refused = [loss for loss in found if not may_lose(allow, loss.table)]
    if refused:
        raise _refusal(replication, refused, command, options)
    return found


def _refusal(
    replication: Replication, refused: Sequence[Loss], command: str, options: Sequence[str]
) -> RefusedError:
    allow = [word for loss in refused for word in ("--allow", loss.consent)]
    to = replication.target.database
    return RefusedError(
        f"not allowed: {', '.join(loss.consent for loss in refused)}; rows of {to} would be lost",
        detail="\n".join("; ".join([str(loss), *loss.keys()]) for loss in refused),
        hint="keep what is needed of them elsewhere; to let them go: "
        + command_line(command, *options, *replication.options, *allow),
    )
