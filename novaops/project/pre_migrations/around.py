"""The pre-migrations of an apply: run before the plan's statements and after them, and never blindly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from novaops.catalog.snapshot import Snapshot
from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.execution.pre_migrations import ledger
from novaops.execution.pre_migrations.files import POST, PRE
from novaops.execution.pre_migrations.predict import Prediction
from novaops.execution.pre_migrations.run import run
from novaops.execution.pre_migrations.standing import TO_RUN, Standing, State, is_not_needed
from novaops.invocation import command_line
from novaops.planning.diff import diff
from novaops.planning.hazard_codes import REFUSED_BY_ROWS
from novaops.planning.live_data import RowError, ask, examine
from novaops.planning.plan import Hazard, Plan, PreMigration
from novaops.planning.planner import live_fingerprint
from novaops.project.pre_migrations.ahead import Ahead, ahead, known, run_first

if TYPE_CHECKING:
    from novaops.project.project import Project

SHOWN = 8
"""How many names an error lists."""


def check_certain(made: Plan, prediction: Prediction | None) -> None:
    """Raise an error when it is not known what the pending files of the plan will leave."""
    if made.certain:
        return
    if prediction is not None and prediction.failed is not None:
        raise DiagnosticsError([replace(prediction.failed, hint=run_first())])
    raise NovaopsError(
        "what the pre-migrations leave could not be told; nothing was applied",
        detail=prediction.error if prediction else None,
        hint=run_first(),
    )


class Around:
    """The files of one apply, under its lock: checked, run before the plan's statements, and after them.

    An apply that was killed when all files of the first phase had run is gone on with; `begun` says that
    statements of the plan have run, too.
    """

    def __init__(self, project: Project, made: Plan, lock_timeout: timedelta, *, begun: bool = False) -> None:
        self.project = project
        self.made = made
        self.lock_timeout = lock_timeout
        self.ran: list[str] = []
        self.known = known(project) if made.pre_migrations else ()
        self.resumed = _have_run([m for m in made.running if m.phase == PRE], self.known)
        self.begun = begun
        self.ahead: Ahead | None = None

    @property
    def fingerprint(self) -> str | None:
        """Of the database as it has to be now."""
        return self.made.predicted_fingerprint if self.resumed else self.made.source_fingerprint

    def check(self) -> None:
        """Before anything runs: the files are those of the plan, and what they leave is known."""
        project, made = self.project, self.made
        if not made.pre_migrations:
            return
        waiting = [(s.name, s.migration.checksum) for s in self.known if s.state in TO_RUN and s.migration]
        due = [(m.name, m.checksum) for m in made.pre_migrations if m.phase != PRE or not self.resumed]
        if waiting != due:
            raise TargetChangedError(
                "the pre-migrations are not those of the plan; nothing was applied",
                hint=f"run `{command_line('plan')}` again and look at them",
            )
        if self.begun:
            live = project.inspect()
            self.ahead = Ahead(live, self.known, False, Prediction(live))
            return
        # A plan from a file comes without what its prediction was made of.
        planned = None if self.resumed else project.ahead
        self.ahead = replace(planned or ahead(project, project.inspect(), self.known), known=self.known)
        prediction = self.ahead.prediction
        if live_fingerprint(prediction.snapshot, project.scope()) != made.predicted_fingerprint:
            raise TargetChangedError(
                "the pre-migrations leave something else than the plan expects; nothing was applied",
                hint=f"run `{command_line('plan')}` again and look at the difference",
            )

    def before(self) -> None:
        """Run the files of the first phase, and see whether they left what was predicted."""
        if self.ahead is None:
            return
        ledger.prepare(self.project.connection)
        if self.ahead.fresh:
            not_needed(self.project, self.ahead.known)
        if self._run(self.ahead, PRE):
            self._compare(self.ahead.prediction.snapshot)
            self._look_again()
        elif self.resumed and not self.begun:
            self._look_again()

    def after(self) -> None:
        """Run the files of the second phase."""
        if self.ahead is not None:
            self._run(self.ahead, POST)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """An error inside says which files had run before it."""
        try:
            yield
        except NovaopsError as error:
            if self.ran:
                error.detail = "\n".join(filter(None, [error.detail, f"before that, {self._done()}"]))
            raise

    def _run(self, ahead: Ahead, phase: str) -> bool:
        files = ahead.to_run(phase)
        run_files(self.project, files, self.lock_timeout, self.ran)
        return bool(files)

    def _done(self) -> str:
        names = [m.name for m in self.made.running if m.phase == PRE] if self.resumed else []
        return have_run([*names, *self.ran])

    def _compare(self, predicted: Snapshot) -> None:
        project = self.project
        scope = replace(project.scope(), whole=True)
        # Texts of the copy have been read again there.
        comparison = replace(project.comparison(), restored=True)
        changes = diff(predicted, project.inspect(), scope, comparison)
        if changes:
            names = [f"{a.type} {'.'.join(a.names)}" for a in sorted(changes)]
            raise TargetChangedError(
                f"the pre-migrations have left something else than predicted: {_listed(names)}",
                detail=f"{self._done()}; no statement of the plan was applied",
                hint=f"run `{command_line('plan')}` again: it starts from what is there now",
            )

    def _look_again(self) -> None:
        """Count on the live data what was pending, and what was empty when the plan was made."""
        connection = self.project.connection
        left = [h for h in self.made.pending_hazards if not h.allowed and self._still(h)]
        guards = [g for statement in self.made.statements for g in statement.guards]
        filled = [g for g in guards if (row := ask(connection, g.exists)) is not None and row[0]]
        if not left and not filled:
            return
        names = [*(h.consent for h in left), *(f"{g.hazard}:{g.object}" for g in filled)]
        mend = "mend the rows that the query shows, in a new file of pre-migrations; then " if left else ""
        raise RefusedError(
            f"not allowed: {', '.join(dict.fromkeys(names))}",
            detail="\n".join(
                [f"{self._done()}; no statement of the plan was applied", *(f"see {h.query};" for h in left)]
            ),
            hint=f"{mend}run `{command_line('plan')}` again: it starts from what is there now",
        )

    def _still(self, hazard: Hazard) -> bool:
        """Whether there are such rows; what cannot be asked is left to PostgreSQL where that will refuse it."""
        answer = examine(self.project.connection, f"SELECT EXISTS ({hazard.query})")
        if isinstance(answer, RowError):
            return True
        return hazard.hazard not in REFUSED_BY_ROWS if answer is None else bool(answer[0])


def _have_run(files: Sequence[PreMigration], known: Sequence[Standing]) -> bool:
    """Whether there are such files, and the ledger has all of them with this text."""
    done = {(s.name, s.entry.checksum) for s in known if s.state is State.APPLIED and s.entry}
    return bool(files) and {(m.name, m.checksum) for m in files} <= done


def not_needed(project: Project, known: Sequence[Standing]) -> tuple[str, ...]:
    """Record the pending files that a new database does not need; return their names."""
    files = [s for s in known if s.state is State.PENDING and is_not_needed(s)]
    pending = [s.migration for s in files if s.migration is not None]
    with project.connection.transaction():
        for migration in pending:
            ledger.record(project.connection, migration, ledger.NOT_NEEDED, 0)
    return tuple(m.name for m in pending)


def run_files(project: Project, files: Sequence[Standing], lock_timeout: timedelta, ran: list[str]) -> None:
    """Run files one after the other, adding each to `ran`; an error says what had run before it."""
    for standing in files:
        if standing.migration is None:
            continue
        try:
            with project.reporter.phase(f"running {standing.name}"):
                run(project.connection, standing.migration, standing.entry, lock_timeout, project.reporter)
        except DiagnosticsError as error:
            done = f"{have_run(ran)}; nothing else was done" if ran else None
            raise DiagnosticsError(error.diagnostics, done=done) from error
        ran.append(standing.name)


def have_run(names: Sequence[str]) -> str:
    """What has happened to the files, for people."""
    return f"{_listed(names)} ran and {'is' if len(names) == 1 else 'are'} recorded"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
