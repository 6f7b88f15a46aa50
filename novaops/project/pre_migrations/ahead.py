"""What pending pre-migrations will make of the live database, and what of that a plan shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from novaops.catalog.snapshot import Snapshot
from novaops.execution.copy import Stage
from novaops.execution.pre_migrations import consent, ledger
from novaops.execution.pre_migrations.files import PRE, left_out, read_folder, text_of
from novaops.execution.pre_migrations.predict import Prediction, predict
from novaops.execution.pre_migrations.standing import (
    TO_RUN,
    Standing,
    State,
    check_unedited,
    notices,
    standings,
    to_run,
)
from novaops.invocation import command_line
from novaops.planning.hazard_codes import with_consent
from novaops.planning.plan import Plan, PreMigration, ScriptStatement
from novaops.planning.planner import live_fingerprint
from novaops.planning.scope import OWN_SCHEMAS

if TYPE_CHECKING:
    from novaops.project.project import Project

NOTHING_YET = frozenset({"schema", "extension", "default acl"})
"""Kinds of objects that a database may have before anything was installed in it."""


def run_first() -> str:
    """Return what to do where it cannot be told what the files leave."""
    return f"{command_line('migrations run')} runs them by themselves; plan again after that"


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies between the database as it is and the plan's first statement.

    `fresh` says that there is nothing in the database that a file could repair.
    """

    live: Snapshot
    known: tuple[Standing, ...]
    fresh: bool
    prediction: Prediction

    @property
    def settled(self) -> bool:
        """Whether the plan starts from the database as it is."""
        return self.prediction.snapshot is self.live


def known(project: Project) -> tuple[Standing, ...]:
    """Every file of the folder and every row of the ledger; nothing for a project without a folder."""
    folder = project.options.pre_migrations
    return () if folder is None else standings(read_folder(folder), ledger.entries(project.connection))


def ahead(project: Project, live: Snapshot, found: tuple[Standing, ...]) -> Ahead:
    """What the pending files will make of the live database, told on a throwaway copy of its schema."""
    check_unedited(found)
    pending = [m for s in to_run(found, PRE) if (m := s.unfinished) is not None]
    fresh = is_fresh(live)
    if fresh or not pending:
        return Ahead(live, found, fresh, Prediction(live))
    with project.reporter.phase("running pre-migrations on a copy"), project.shadow() as connection:
        stage = Stage(connection, project.disposable)
        return Ahead(live, found, fresh, predict(stage, live, pending, project.comparison()))


def is_fresh(live: Snapshot) -> bool:
    """Whether the database holds nothing of anybody's that a file could repair."""
    return not live.unmodelled and all(o.schema in OWN_SCHEMAS or o.kind in NOTHING_YET for o in live)


def with_pre_migrations(project: Project, made: Plan, found: Ahead, allowed: Mapping[str, str]) -> Plan:
    """The plan with the files that run before and after it, and what consent they need."""
    files = planned(project, found)
    told = [*notices(found.known), *_uncertain(found.prediction), *found.prediction.left_out]
    if project.options.pre_migrations is not None:
        told += [
            f"{name} is not run: it undoes another file" for name in left_out(project.options.pre_migrations)
        ]
    predicted = made.source_fingerprint if found.prediction.certain else None
    made = replace(
        made,
        source_fingerprint=live_fingerprint(found.live, project.scope()),
        predicted_fingerprint=predicted,
        pre_migrations=files,
        blocked=(*(h for m in files for h in m.hazards), *made.blocked),
        notices=(*told, *made.notices),
    )
    return with_consent(made, allowed)


def planned(project: Project, found: Ahead) -> tuple[PreMigration, ...]:
    """The files that are still to run, as the plan shows them."""
    waiting = [(s, m) for s in found.known if s.state in TO_RUN and (m := s.unfinished) is not None]
    hazards = {} if found.fresh else consent.hazards(project.connection, [m for _, m in waiting])
    return tuple(
        PreMigration(
            name=m.name,
            file=str(m.path),
            phase=m.phase,
            checksum=m.checksum,
            state=State.NOT_NEEDED.value if found.fresh else s.state.value,
            transactional=m.transactional,
            statements=tuple(ScriptStatement(text_of(each), each.source.line) for each in m.statements),
            hazards=hazards.get(m.name, ()),
        )
        for s, m in waiting
    )


def _uncertain(prediction: Prediction) -> list[str]:
    """What could not be told, and what follows from that."""
    follows = "the plan is made from the database as it is now, and apply does not start"
    if prediction.error is not None:
        return [
            f"the pre-migrations could not be run on a copy ({prediction.error}): {follows}; {run_first()}"
        ]
    if prediction.failed is not None:
        failed = prediction.failed
        return [f"{failed.source} failed on a copy without rows ({failed.message}): {follows}; {run_first()}"]
    return []
