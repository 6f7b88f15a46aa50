"""The pre-migrations of a project by themselves: listed, rehearsed, run, adopted, accepted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from novaops.diagnostics import Diagnostic
from novaops.errors import RefusedError, TargetChangedError, UsageError
from novaops.execution.pre_migrations import ledger
from novaops.execution.pre_migrations.adopt import Adoption, from_table, history_tables
from novaops.execution.pre_migrations.files import PRE
from novaops.execution.pre_migrations.predict import Prediction
from novaops.execution.pre_migrations.standing import (
    Standing,
    State,
    check_unedited,
    is_not_needed,
    notices,
    to_run,
)
from novaops.invocation import command_line
from novaops.planning.hazard_codes import consent, covers
from novaops.planning.plan import Hazard, PreMigration
from novaops.project.pre_migrations.ahead import (
    Ahead,
    ahead,
    check_files,
    is_new,
    known,
    not_needed_notice,
    planned,
)
from novaops.project.pre_migrations.around import not_needed, run_files
from novaops.project.recording import alone

if TYPE_CHECKING:
    from novaops.project.project import Project


@dataclass(frozen=True, slots=True)
class Pending:
    """The files that `run` would run now, those that wait for an apply (`post`), and the copy's verdict.

    `blocked` are the hazards not consented to. `rehearsed` says whether there was a copy; `failed`
    is what went wrong there, `left_out` what was not run on it.
    """

    files: tuple[PreMigration, ...]
    post: tuple[PreMigration, ...]
    blocked: tuple[Hazard, ...] = ()
    notices: tuple[str, ...] = ()
    rehearsed: bool = False
    failed: Diagnostic | None = None
    error: str | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """The files that have run, and those recorded as not needed in a fresh database."""

    files: tuple[str, ...] = ()
    not_needed: tuple[str, ...] = ()


class Migrations:
    """See `Project.migrations`."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def listed(self) -> tuple[Standing, ...]:
        """Every file of the folder and every row of the ledger, with what is the matter with it."""
        return known(self.project)

    def pending(self, allow: Collection[str] = (), *, rehearse: bool = False) -> Pending:
        """What `run` would run; with `rehearse` it is run on a throwaway copy of the live schema."""
        found = known(self.project)
        live = self.project.inspect()
        new = is_new(self.project, live)
        check_files(self.project, found, new)
        state = ahead(self.project, live, found) if rehearse else Ahead(live, found, new, Prediction(live))
        files = planned(self.project, state)
        pre = tuple(f for f in files if f.phase == PRE)
        given = frozenset(consent(text) for text in allow)
        blocked = tuple(h for f in pre for h in f.hazards if not covers(given, h))
        return Pending(
            files=pre,
            post=tuple(f for f in files if f.phase != PRE),
            blocked=blocked,
            notices=(*not_needed_notice(self.project, pre), *notices(found)),
            rehearsed=rehearse and any(f.runs for f in pre),
            failed=state.prediction.failed,
            error=state.prediction.error,
            left_out=state.prediction.left_out,
        )

    def run(
        self,
        pending: Pending,
        *,
        lock_timeout: timedelta = timedelta(seconds=3),
        lock_wait: timedelta = timedelta(0),
    ) -> Ran:
        """Run the pending files of the first phase, in order, up to the first error.

        Raises `RefusedError` when a hazard is not allowed, `TargetChangedError` when the files or the ledger
        have changed since `pending` was made, and `DiagnosticsError` for the statement that failed.
        """
        if pending.blocked:
            names = list(dict.fromkeys(h.consent for h in pending.blocked))
            allow = [word for name in names for word in ("--allow", name)]
            raise RefusedError(
                f"not allowed: {', '.join(names)}; nothing was run",
                hint=f"to go on: {command_line('migrations run', *allow)}",
            )
        with alone(self.project, lock_wait):
            found = known(self.project)
            check_unedited(found)
            new = is_new(self.project, self.project.inspect())
            waiting = [
                (s.name, s.migration.checksum, not (new and is_not_needed(s)))
                for s in to_run(found, PRE)
                if s.migration is not None
            ]
            if waiting != [(f.name, f.checksum, f.runs) for f in pending.files]:
                raise TargetChangedError(
                    "the pending files are others than those shown; nothing was run", hint="run it again"
                )
            if not waiting:
                return Ran()
            ledger.prepare(self.project.connection)
            skipped = not_needed(self.project, found) if new else ()
            ran: list[str] = []
            run_files(self.project, to_run(found, PRE, new=new), lock_timeout, ran)
            return Ran(tuple(ran), skipped)

    def adoption(self, source: str | None = None, *, everything: bool = False) -> Adoption:
        """What there is to adopt: what the table `source` says has run, or a known table that is found.

        With `everything`, or where there is no such table, all files of the folder.
        """
        found = known(self.project)
        check_unedited(found)
        pending = [s.migration for s in found if s.state is State.PENDING and s.migration is not None]
        tables = [source] if source else [] if everything else history_tables(self.project.connection)
        if len(tables) > 1:
            raise UsageError(
                f"more than one table may tell what has run: {', '.join(tables)}",
                hint=f"name it: {command_line('migrations adopt', '--from', tables[0])}",
            )
        if tables:
            return from_table(self.project.connection, tables[0], pending)
        return Adoption(None, tuple(pending))

    def adopt(self, adoption: Adoption, *, lock_wait: timedelta = timedelta(0)) -> None:
        """Record the files as having run, without running them."""
        with alone(self.project, lock_wait):
            ledger.prepare(self.project.connection)
            with self.project.connection.transaction():
                for migration in adoption.files:
                    ledger.record(self.project.connection, migration, ledger.ADOPTED)

    def accept(self, name: str, *, lock_wait: timedelta = timedelta(0)) -> Standing:
        """Record a file as it is now as done, whatever the ledger says; what it was before."""
        with alone(self.project, lock_wait):
            found = {s.name: s for s in known(self.project)}
            standing = found.get(name)
            if standing is None or standing.migration is None:
                files = ", ".join(s.name for s in found.values() if s.migration is not None)
                raise UsageError(
                    f"there is no pre-migration {name} in {self.project.options.pre_migrations}",
                    hint=f"one of: {files}" if files else f"{command_line('migrations')} lists what is known",
                )
            ledger.prepare(self.project.connection)
            outcome = ledger.ADOPTED if standing.entry is None else ledger.APPLIED
            ledger.record(self.project.connection, standing.migration, outcome)
            return standing
