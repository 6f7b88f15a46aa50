"""Builds the declared state in a shadow, in whatever order works, and reads it back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.read import Reader, read
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.desired.attempt import BEYOND, Failure, NotInOneTransactionError, Session, Task
from novaops.desired.bodies import CheckFunctions, Unchanged
from novaops.desired.bodies import check as check_bodies
from novaops.desired.classify import classify, command_words, diagnostic, refusals
from novaops.desired.containers import addresses, containers, drop, removed, without
from novaops.desired.explain import explain, missing_role, passing_role, role_diagnostic
from novaops.desired.extensions import Providers, known_provider
from novaops.desired.likely import likely_order
from novaops.desired.missing import incomplete
from novaops.desired.names import Declared
from novaops.desired.names import declared as declared_by
from novaops.desired.notices import kept, left_out, unknown_setting, with_note
from novaops.desired.overlay import Overlay
from novaops.desired.renamed import Renamed, Renaming
from novaops.desired.roles import LEFT_OUT, fulfilled
from novaops.desired.rules import Action
from novaops.desired.settings import Settings
from novaops.desired.sources import makers, sources
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic, DiagnosticsError, Source

__all__ = ["Desired", "NotInOneTransactionError", "build"]

MissingRoles = Literal["error", "skip", "create"]

# A later statement may make what these miss: names, columns, keys, casts, operators' arguments,
# objects of another kind or state. Every other error stays one whatever else exists.
MAY_HEAL = frozenset(
    ["42P01", "42883", "42703", "42704", "3F000", "42830", "2BP01", "42P16", "42P17", "42809", "42804", "42846",
     "42P10", "42725", "55000", "42P22", "42939", "42P13"]
)  # fmt: skip

# A schema, another object of that name.
EXISTS = frozenset({"42P06", "42710"})

BATCH = 128
"""At most so many statements run in one message."""

# What CREATE makes with privileges, which ALTER DEFAULT PRIVILEGES and GRANT … ON ALL decide.
WITH_PRIVILEGES = frozenset(
    [
        "TABLE",
        "VIEW",
        "SEQUENCE",
        "FUNCTION",
        "PROCEDURE",
        "AGGREGATE",
        "TYPE",
        "DOMAIN",
        "SCHEMA",
        "EXTENSION",
    ]
)


@dataclass(frozen=True, slots=True)
class Desired:
    """The declared state: what the files make of an empty database, and where they say so."""

    snapshot: Snapshot
    sources: Mapping[Address, Source] = field(default_factory=dict)
    statements: int = 0
    seconds: float = 0.0
    notices: tuple[Diagnostic, ...] = ()
    missing_roles: tuple[str, ...] = ()
    """What the files name, the server lacks and a plan is to make."""
    passing_roles: tuple[str, ...] = ()
    """Roles that the files' own statements made in the shadow, where they were undone with everything else."""
    uncommitted: tuple[Source, ...] = ()
    """With commits: statements that change more than the database, and so were rolled back in the end."""
    dumped: bool = False
    """`Script.dumped` of the files."""
    renamed: Renamed | None = None
    """What the live database has under other names, by which the plan goes until it renames them."""

    copied: frozenset[Address] = frozenset()
    """Schemas and extensions that the files refer to and do not create."""

    @property
    def created(self) -> Snapshot:
        """The snapshot without what is `copied`; what the files do not create is not theirs to manage."""
        return (
            self.snapshot.part(self.snapshot.objects.keys() - self.copied) if self.copied else self.snapshot
        )

    @property
    def empty(self) -> bool:
        """Whether the files hold no statement at all."""
        return self.statements == 0


def build(
    connection: psycopg.Connection[Any],
    statements: Sequence[Statement],
    *,
    readers: Sequence[Reader],
    prelude: Sequence[str] = (),
    missing_roles: MissingRoles = "error",
    check_functions: CheckFunctions = "auto",
    unchanged: Unchanged = lambda _: {},
    commit: bool = False,
    declares: str | None = None,
    renaming: Renaming | None = None,
    overlay: Overlay | None = None,
    providers: Providers = known_provider,
) -> Desired:
    """Run the statements in the empty database of `connection` and read what they made.

    Everything is one transaction that is rolled back; with `commit`, for a database that is dropped
    anyway, a few statements are one, and what would change more than the database comes last and is
    rolled back. `prelude` is SQL that runs before them, `declares` what the
    files are called in messages; `renaming` is asked in the end for `Desired.renamed`, and `overlay` is laid
    over what the statements made; `providers` tells for hints which extension provides a name. All errors are raised at once, as `DiagnosticsError`.
    """
    started = time.monotonic()
    moot = fulfilled(connection, statements)
    if refused := refusals(s for index, s in enumerate(statements) if index not in moot):
        raise DiagnosticsError(refused)
    session = Session(connection, commit=commit)
    try:
        session.begin()
        stay = frozenset() if commit else removed(connection)
        session.prepare(prelude)
        builder = _Builder(session, missing_roles, moot)
        builder.run(statements)
        errors = builder.errors(
            declares or ", ".join(dict.fromkeys(s.file.name for s in statements)), providers
        )
        session.reset()
        if errors:
            raise incomplete(errors, connection, readers)
        made = makers(session, builder.tasks)
        if check_functions != "off":
            strict = check_functions == "strict"
            try:
                builder.notices += check_bodies(session, builder.tasks, made, unchanged, strict=strict)
            except DiagnosticsError as error:
                raise incomplete(error.diagnostics, connection, readers) from error
        if overlay is not None:
            builder.notices += overlay.lay(session)
        with connection.transaction():  # where settings are pinned, with commits as well
            snapshot = without(read(connection, readers, alone=True), stay - builder.declared)
            places = sources(snapshot, made, builder.tasks)
            renamed = renaming(connection, snapshot, places) if renaming else None
    finally:
        if not connection.closed:
            connection.rollback()
    return Desired(
        snapshot,
        places,
        len(statements),
        time.monotonic() - started,
        tuple(builder.notices),
        (*builder.roles, *builder.own_roles) if missing_roles == "create" else (),
        () if missing_roles == "create" else tuple(builder.own_roles),
        tuple(task.statement.source for task in builder.beyond),
        renamed=renamed,
        copied=frozenset(addresses(builder.found_there - builder.declared)),
    )


class _Builder:
    """Runs the tasks; those that fail for want of something wait and are tried again."""

    def __init__(self, session: Session, missing_roles: MissingRoles, moot: frozenset[int]) -> None:
        """`moot` are the statements, by their place, that say of roles what is so already."""
        self.session = session
        self.moot = moot
        self.missing_roles = missing_roles
        self.tasks: list[Task] = []
        self.waiting: list[Failure] = []
        self.failed: list[Failure] = []
        self.notices: list[Diagnostic] = []
        self.roles: dict[str, Statement] = {}
        self.made_roles: set[str] = set()
        self.early_roles: set[str] = set()
        self.own_roles: dict[str, Statement] = {}
        self.known_roles = session.roles()
        self.found_there = frozenset(containers(session.connection))
        self.present = set(self.found_there)
        self.uncommitted: list[Task] = []
        self.beyond: list[Task] = []
        self.progress = False
        self.batch: list[Task] = []
        self.size = BATCH

    def run(self, statements: Sequence[Statement]) -> None:
        settings = Settings()
        for index, statement in enumerate(statements):
            verdict = classify(statement)
            if index in self.moot:
                verdict = replace(verdict, action=Action.REPORT, reason=LEFT_OUT, hint=None)
            task = Task(index, statement, verdict, settings)
            self.tasks.append(task)
            if task.verdict.action is not Action.RUN:
                self.flush()
            match task.verdict.action:
                case Action.REPORT:
                    self.notices.append(diagnostic(statement, task.verdict))
                case Action.SETTING:
                    if self.set(task) and task.verdict.change is not None:
                        settings = settings.after(task.verdict.change)
                case Action.PROBE:
                    self.retry()
                    self.probe(task)
                case Action.BARRIER:
                    self.retry()
                    self.close(statement)
                    self.attempt(task)
                case Action.RUN:
                    self.gather(task)
        self.flush()
        self.retry()
        if self.uncommitted:
            self.session.hold()
            for task in self.uncommitted:
                if task.verdict.action is Action.PROBE:
                    self.probe(task)
                else:
                    self.attempt(task)
            self.retry()

    def gather(self, task: Task) -> None:
        """Run the task together with others, soon."""
        self.batch.append(task)
        if len(self.batch) >= self.size:
            self.flush()

    def flush(self) -> None:
        """Run what has gathered, at one stroke if it all succeeds.

        A subtransaction costs, when it ends, a look at every relation that the transaction has made
        (AtEOSubXact_RelationCache), so thousands of statements must not each have one.
        """
        batch, self.batch = self.batch, []
        if len(batch) > 1 and self.session.attempt_all(batch):
            self.progress = succeeded = True
        else:
            succeeded = not [task for task in batch if not self.attempt(task)]
        self.size = min(2 * self.size, BATCH) if succeeded else max(1, self.size // 4)

    def attempt(self, task: Task) -> bool:
        """Run a task; when it fails, see what becomes of it."""
        failure = self.session.attempt(task)
        if failure is not None and failure.code in EXISTS:
            failure = self.over_present(failure)
        role = missing_role(failure) if failure is not None else None
        if failure is not None and role is not None:
            return self.without_role(role, failure)
        if failure is not None and failure.code == BEYOND:
            self.beyond.append(task)
            self.uncommitted.append(task)
            return False
        if failure is None:
            self.progress = True
        elif failure.code in MAY_HEAL:
            self.waiting.append(failure)
        else:
            self.failed.append(failure)
        return failure is None

    def over_present(self, failure: Failure) -> Failure | None:
        """Create a schema or an extension in place of the one that the shadow has, unless that is needed there."""
        task = failure.task
        container = declared_by(task.statement)
        if container is None or container not in self.present:
            return failure
        self.present.remove(container)
        if self.session.as_itself(drop(container)):
            return self.session.attempt(task)
        self.notices.append(kept(task.statement, container))
        return None

    def without_role(self, role: str, failure: Failure) -> bool:
        """Make the role in the shadow's transaction, so that the next missing one shows as well."""
        waits = failure.task.verdict.action is Action.RUN
        if self.session.commit and self.beyond and waits:
            # What makes the role may be among what waits for the end.
            self.uncommitted.append(failure.task)
            return False
        self.roles.setdefault(role, failure.task.statement)
        if self.missing_roles == "skip":
            self.notices.append(left_out(failure, role))
            return False
        if self.session.commit:
            # No role may be committed. What decides on later statements cannot wait for the end.
            if waits:
                self.uncommitted.append(failure.task)
            else:
                self.early_roles.add(role)
            return False
        if role in self.made_roles or not self.session.as_itself(f"CREATE ROLE {quote_ident(role)}"):
            return False
        self.made_roles.add(role)
        return self.attempt(failure.task)

    def set(self, task: Task) -> bool:
        """Run a SET; a parameter that the server does not know is none of the schema's business."""
        failure = self.session.attempt(task)
        if failure is None:
            return True
        if (role := missing_role(failure)) is not None:
            return self.without_role(role, failure)
        if failure.code == "42704":
            self.notices.append(unknown_setting(failure))
        else:
            self.failed.append(failure)
        return False

    def probe(self, task: Task) -> None:
        """Run a statement that may or may not change the catalogs, and say so when it did not."""
        before = self.session.changes()
        if not self.attempt(task):
            return
        if self.session.changes(task) != before:
            self.note_roles(task.statement)
        else:
            words = command_words(task.statement)
            self.notices.append(
                task.statement.file.diagnostic(
                    task.statement.start,
                    f"{words}: without effect on the schema",
                    length=len(task.statement.text.partition("\n")[0]),
                    severity="notice",
                )
            )

    def note_roles(self, statement: Statement) -> None:
        """See whether the statement made roles, which are undone with the shadow's transaction."""
        made = sorted(self.session.roles() - self.known_roles - self.made_roles)
        self.known_roles.update(made)
        for role in made:
            self.own_roles[role] = statement
            if self.missing_roles != "create":
                self.notices.append(passing_role(role, statement))

    def retry(self) -> None:
        """Try what waits again, until a pass makes no progress."""
        while self.waiting and self.progress:
            self.progress = False
            again, self.waiting = self.waiting, []
            self.size = BATCH
            for task in likely_order([failure.task for failure in again]):
                self.gather(task)
            self.flush()

    def close(self, barrier: Statement) -> None:
        """What still waits and makes objects with privileges fails: later it would get other ones."""
        note = f"it cannot wait past {barrier.source}, which decides on privileges; move it below that"
        for failure in [f for f in self.waiting if _makes_privileges(f.task)]:
            self.waiting.remove(failure)
            self.failed.append(replace(failure, notes=(note,)))

    @property
    def declared(self) -> frozenset[Declared]:
        """What the statements create."""
        return frozenset(what for task in self.tasks if (what := declared_by(task.statement)) is not None)

    def errors(self, declares: str, providers: Providers) -> list[Diagnostic]:
        """Return all errors, in the order of the files."""
        found = explain(
            [*self.waiting, *self.failed],
            self.tasks,
            declares,
            self.session.connection.info.server_version,
            providers,
            {container.names[0] for container in self.found_there if container.kind == "EXTENSION"},
        )
        for role, first in self.roles.items():
            if self.missing_roles == "error" or role in self.early_roles:
                found.append(role_diagnostic(role, first))
        found = with_note(found, self.session.unprepared)
        return sorted(found, key=lambda d: d.source)


def _makes_privileges(task: Task) -> bool:
    words = task.statement.words
    if words[0] == "CREATE":
        return not WITH_PRIVILEGES.isdisjoint(words[1:5])
    # A column of type serial or AS IDENTITY makes a sequence.
    return task.verdict.action is Action.PROBE or (words[:2] == ("ALTER", "TABLE") and "ADD" in words)
