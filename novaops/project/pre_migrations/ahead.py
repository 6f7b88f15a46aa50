"""What pending pre-migrations will make of the live database, and what of that a plan shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from novaops.catalog.snapshot import Snapshot
from novaops.desired.files import read_script
from novaops.execution.copy import Stage
from novaops.execution.pre_migrations import consent, ledger
from novaops.execution.pre_migrations.files import POST, PRE, left_out, read_folder, text_of
from novaops.execution.pre_migrations.predict import Prediction, predict
from novaops.execution.pre_migrations.standing import (
    TO_RUN,
    Standing,
    State,
    check_unedited,
    is_not_needed,
    notices,
    standings,
    to_run,
)
from novaops.execution.pre_migrations.syntax import check_syntax
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

    `fresh` says that the database is new: there is nothing in it that a file could repair, and the schema
    files build it.
    """

    live: Snapshot
    known: tuple[Standing, ...]
    fresh: bool
    prediction: Prediction

    @property
    def settled(self) -> bool:
        """Whether the plan starts from the database as it is."""
        return self.prediction.snapshot is self.live

    def to_run(self, phase: str) -> list[Standing]:
        """Return the files of a phase that run now."""
        return to_run(self.known, phase, new=self.fresh)


def known(project: Project) -> tuple[Standing, ...]:
    """Every file of the folder and every row of the ledger; nothing for a project without a folder."""
    folder = project.options.pre_migrations
    return () if folder is None else standings(read_folder(folder), ledger.entries(project.connection))


def ahead(project: Project, live: Snapshot, found: tuple[Standing, ...]) -> Ahead:
    """What the pending files will make of the live database, told on a throwaway copy of its schema."""
    fresh = is_new(project, live)
    check_files(project, found, fresh)
    pending = [m for s in to_run(found, PRE, new=fresh) if (m := s.unfinished) is not None]
    if not pending:
        return Ahead(live, found, fresh, Prediction(live))
    with project.reporter.phase("running pre-migrations on a copy"), project.shadow() as connection:
        stage = Stage(connection, project.disposable)
        return Ahead(live, found, fresh, predict(stage, live, pending, project.comparison()))


def check_files(project: Project, found: Sequence[Standing], new: bool) -> None:
    """Check what needs no copy: no file was edited since it ran, and PostgreSQL can parse those that run now."""
    check_unedited(found)
    due = [s for phase in (PRE, POST) for s in to_run(found, phase, new=new)]
    files = [m for s in due if (m := s.unfinished) is not None]
    check_syntax(project.connection, [statement for m in files for statement in m.statements])


def is_new(project: Project, live: Snapshot) -> bool:
    """Tell whether the schema files build the database: it is empty, and they hold statements.

    Without them only the pre-migrations can build it.
    """
    empty = not live.unmodelled and all(o.schema in OWN_SCHEMAS or o.kind in NOTHING_YET for o in live)
    return empty and _has_statements(Path(project.file))


def _has_statements(path: Path) -> bool:
    files = sorted(path.rglob("*.sql")) if path.is_dir() else [path] if path.exists() else []
    return bool(read_script(path, files)[0].statements)


def with_pre_migrations(project: Project, made: Plan, found: Ahead, allowed: Mapping[str, str]) -> Plan:
    """The plan with the files that run before and after it, and what consent they need."""
    files = planned(project, found)
    told = [
        *not_needed_notice(project, files),
        *notices(found.known),
        *_uncertain(found.prediction),
        *found.prediction.left_out,
    ]
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


def not_needed_notice(project: Project, files: Sequence[PreMigration]) -> list[str]:
    """Say in one line why files do not run on a new database."""
    count = sum(not file.runs for file in files)
    if not count:
        return []
    are = "1 pre-migration is" if count == 1 else f"{count:,} pre-migrations are"
    return [
        f"{project.connection.info.dbname} is empty and {project.file} builds it:"
        f" {are} recorded as not needed, and not run"
    ]


def planned(project: Project, found: Ahead) -> tuple[PreMigration, ...]:
    """The files that are still to run, as the plan shows them."""
    waiting = [(s, m) for s in found.known if s.state in TO_RUN and (m := s.unfinished) is not None]
    running = [m for s, m in waiting if not (found.fresh and is_not_needed(s))]
    hazards = consent.hazards(project.connection, running)
    return tuple(
        PreMigration(
            name=m.name,
            file=str(m.path),
            phase=m.phase,
            checksum=m.checksum,
            state=State.NOT_NEEDED.value if found.fresh and is_not_needed(s) else s.state.value,
            transactional=m.transactional,
            own_transaction=m.own_transaction,
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
