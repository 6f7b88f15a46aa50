"""A change, taken through all databases; cut off at any moment, the next run finds out what is left.

Nothing is undone when a step fails: every state in between is one in which rows arrive, but for a subscription that
was paused, and that stays so, since the rows it holds back may be of a shape that its side does not take yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.sql import Composed

from novaops.db.advisory_lock import advisory_lock
from novaops.db.own_schema import ensure_own_schema
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.invocation import command_line
from novaops.planning.consents import with_reasons
from novaops.planning.plan import Plan
from novaops.project import Outcome
from novaops.replication.consent import consent
from novaops.replication.pair import bound_lock_waits
from novaops.replication.proof.compare import compare
from novaops.replication.proof.repair import repair_of
from novaops.replication.proof.verify import Proof, verify
from novaops.replication.schema_change.change import SchemaChange
from novaops.replication.schema_change.course import Course, Leg
from novaops.replication.schema_change.drain import passed_within
from novaops.replication.schema_change.receiver import INTENT, PAUSED, TO_COPY, Receiver
from novaops.replication.set_up import publication as publications
from novaops.replication.set_up import subscription
from novaops.replication.set_up.copying import wait_for_worker
from novaops.replication.set_up.journal import RunJournal
from novaops.replication.set_up.run import LOCK, SCHEMA_CHANGE, Done

DRAIN = timedelta(minutes=5)
"""How long the rows of the old shape may take to arrive."""
TRIES = 10
"""How often a lock on a published table is tried for, each time as long as `bound_lock_waits` says."""


class InterruptedChangeError(NovaopsError):
    """A change stands half-way, and the same command goes on."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done, in order, and the proof of each replication that it was about."""

    done: tuple[Done, ...]
    proofs: tuple[Proof, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class How:
    """What `Project.apply` is to be told."""

    rehearse: bool = True
    lock_timeout: timedelta = timedelta(seconds=3)
    lock_wait: timedelta = timedelta(0)
    unproven: Callable[[str], bool] = lambda _: False


def apply(
    change: SchemaChange,
    course: Course,
    allow: Collection[str] | Mapping[str, str] = (),
    how: How = How(),
) -> Changed:
    """Take all databases through it, and prove that rows arrive.

    Raises `RefusedError` when the course has refusals or a hazard that is not allowed; nothing is done then.
    `InterruptedChangeError` tells what stands when a step fails.
    """
    begun, allowed = time.monotonic(), with_reasons(allow)
    check(course)
    if not course.todo:
        return Changed((), (), time.monotonic() - begun)
    affected = [r for r, leg in zip(change.receivers, course.legs, strict=True) if leg.todo]
    with ExitStack() as stack:
        for receiver in affected:
            target = receiver.pair.target.connection
            stack.enter_context(advisory_lock(target, wait=how.lock_wait, lock=LOCK))
        work = _Work(change, course, allowed, how, affected)
        work.run()
    return Changed(tuple(work.done), tuple(work.proofs), time.monotonic() - begun)


def check(course: Course) -> None:
    """Raise `RefusedError` for what cannot be done, or is not allowed."""
    if course.refusals:
        first, *more = course.refusals
        also = f"; and {len(more)} more" if more else ""
        raise RefusedError(
            f"{first.object} cannot be changed while rows flow: {first.why}{also}; nothing was done",
            detail="\n".join(f"{r.object}: {r.why}" for r in more) or None,
            hint=first.instead,
        )
    if course.blocked:
        hazards = ", ".join(h.consent for h in course.blocked)
        raise RefusedError(
            f"not allowed: {hazards}; nothing was done",
            hint="to go on: "
            + command_line("replicate apply", *(w for h in course.blocked for w in ("--allow", h.consent))),
        )


class _Work:
    """One run."""

    def __init__(
        self,
        change: SchemaChange,
        course: Course,
        allowed: Mapping[str, str],
        how: How,
        affected: Sequence[Receiver],
    ) -> None:
        self.change, self.course, self.allowed, self.how = change, course, allowed, how
        self.affected = affected
        self.legs: Mapping[str, Leg] = {leg.replication.slot: leg for leg in course.legs}
        self.done: list[Done] = []
        self.proofs: list[Proof] = []
        self.reporter = change.reporter
        self.total = len(course.steps)

    def run(self) -> None:
        for receiver in self.affected:
            self._check_equal(receiver)
        for receiver in self.affected:
            self._begin(receiver)
        for receiver in self.affected:
            self._open(receiver)
        self._source()
        for receiver in self.affected:
            self._publish(receiver)
        for receiver in self.affected:
            self._finish(receiver)

    # -- before the source ------------------------------------------------------------------

    def _check_equal(self, receiver: Receiver) -> None:
        """What is overwritten later on shall be only what this change makes differ."""
        known = {made.name for made in receiver.made if made.kind == TO_COPY}
        names = set(self.legs[receiver.replication.slot].copies) - known
        tables = tuple(table for table in receiver.as_published() if table.qualified in names)
        some = replace(receiver.replication, tables=tables)
        for found in compare(receiver.pair, some, self.reporter) if tables else ():
            if found.missing or found.extra or found.different:
                raise RefusedError(
                    f"the rows of {found.table} are not equal as it is, and some are to be overwritten; nothing was done",
                    hint=command_line("replicate compare", "--repair", *receiver.replication.options),
                )

    def _begin(self, receiver: Receiver) -> None:
        """Write down what the change touches, before the source is changed and does not tell it any more."""
        target = receiver.pair.target.connection
        ensure_own_schema(target)
        receiver.journal = RunJournal.begin(target, receiver.replication, SCHEMA_CHANGE)
        leg = self.legs[receiver.replication.slot]
        for intent in leg.intents:
            receiver.journal.making(INTENT, intent.text(), *intent.attributes)
        for table in leg.copies:
            receiver.journal.making(TO_COPY, table)

    def _open(self, receiver: Receiver) -> None:
        request = self.change.source.request
        assert request is not None  # noqa: S101
        states = receiver.states(request.live, request.goal, receiver.project.inspect())
        wanted = receiver.known_intents()
        relax = receiver.relaxing(states, wanted, self.allowed)
        if receiver.both_ways:
            if statements := receiver.without(states, wanted):
                self._altered(
                    receiver, "publish less", receiver.database, receiver.pair.target.connection, statements
                )
            if any(i.address in states.target and i.address not in states.after for i in wanted):
                self._drain(receiver, back=True)
            if relax.todo:
                self._pause(receiver)
        self._target(receiver, "relax", "takes rows of both shapes", relax)
        if (narrow := receiver.narrowed(states)) is not None:
            source = receiver.pair.source.connection
            statements = publications.statements(source, narrow)
            if statements:
                where = receiver.replication.source.database
                self._altered(receiver, "publish less", where, source, statements)

    def _pause(self, receiver: Receiver) -> None:
        """Hold the rows back that the target writes from now on; its slot keeps them."""
        name, source = receiver.other_way.subscription, receiver.pair.source.connection
        self._step("pause", f"{name} of {receiver.replication.source.database} waits")
        assert receiver.journal is not None  # noqa: S101
        receiver.journal.making(PAUSED, name)
        with self._telling("pause"):
            subscription.alter(source, name, "DISABLE")
        self._did("pause", f"{name} waits")

    # -- the source -------------------------------------------------------------------------

    def _source(self) -> None:
        made = self.course.source
        if not made.todo:
            return
        if any(leg.narrow for leg in self.course.legs):
            made = self._again(made)
        self._step("source", f"changing {made.target.database}")
        with self._telling("source"):
            outcome = self.change.source.apply(
                made,
                self.allowed,
                rehearse=self.how.rehearse,
                lock_timeout=self.how.lock_timeout,
                lock_wait=self.how.lock_wait,
                unproven=self.how.unproven,
            )
        left = f"; {len(outcome.left)} objects still differ" if outcome.left else ""
        self._did("source", f"{_statements(outcome)} in {made.target.database}{left}")

    def _again(self, shown: Plan) -> Plan:
        """The plan of the source, of which less is published now: it has to be the one that was shown."""
        made, _ = self.change.of_source(self.allowed)
        planned = {statement.sql for statement in shown.statements}
        if other := [s.sql for s in made.statements if s.sql not in planned]:
            with self._telling("source"):
                raise TargetChangedError(
                    f"{made.target.database} has changed since the plan was shown",
                    detail=other[0],
                    hint="run the same command again, and look at the difference",
                )
        return made

    # -- after the source -------------------------------------------------------------------

    def _publish(self, receiver: Receiver) -> None:
        if statements := receiver.wider():
            where = receiver.replication.source.database
            self._altered(receiver, "publish", where, receiver.pair.source.connection, statements)
        assert receiver.journal is not None  # noqa: S101
        for made in [m for m in receiver.journal.made if m.kind == PAUSED]:
            self._step("resume", f"{made.name} goes on")
            with self._telling("resume"):
                subscription.alter(receiver.pair.source.connection, made.name, "ENABLE")
                wait_for_worker(receiver.back, receiver.other_way)
            receiver.journal.forget(made)
            self._did("resume", f"{made.name} goes on")

    def _finish(self, receiver: Receiver) -> None:
        assert receiver.journal is not None  # noqa: S101
        self._drain(receiver)
        self._copy(receiver)
        live = self.change.source.inspect()
        states = receiver.states(live, live, receiver.project.inspect())
        wanted = receiver.known_intents()
        restrict = receiver.restricting(states, wanted, self.allowed)
        self._target(receiver, "restrict", "what the new shape allows", restrict)
        if receiver.both_ways:
            self._publish_back(receiver)
        self._step("proof", f"proving {receiver.replication.name}")
        proof = verify(receiver.pair, receiver.replication, self.reporter)
        self.proofs.append(proof)
        wrong = [finding for finding in proof.findings if finding.severity == "error"]
        if wrong:
            with self._telling("proof"):
                raise NovaopsError(wrong[0].message, detail=wrong[0].detail, hint=wrong[0].remedy)
        receiver.journal.end("done")

    def _drain(self, receiver: Receiver, *, back: bool = False) -> None:
        """Wait until everything that was sent until now is applied."""
        pair, replication = receiver.pair, receiver.replication
        if back:
            pair, replication = receiver.back, receiver.other_way
        self._step("drain", f"waiting until {replication.target.database} has what was sent")
        with self.reporter.phase("waiting for a barrier to pass"), self._telling("drain"):
            passed_within(pair, replication, DRAIN)
        if not back:
            self._did("drain", f"{replication.target.database} has what was sent in the old shape")

    def _copy(self, receiver: Receiver) -> None:
        """Values that each side has computed for itself are made the source's."""
        assert receiver.journal is not None  # noqa: S101
        entries = [m for m in receiver.journal.made if m.kind == TO_COPY]
        if not entries:
            return
        names = {entry.name for entry in entries}
        tables = tuple(t for t in receiver.replication.tables if t.qualified in names)
        self._step("copy", f"bringing rows of {', '.join(map(str, tables))} into line")
        some = replace(receiver.replication, tables=tables)
        # They were equal before: what differs are the values that the change itself has given them.
        own = [consent(table) for table in tables]
        with self._telling("copy"):
            compared = compare(receiver.pair, some, self.reporter, repair=repair_of(some, own))
        for entry in entries:
            receiver.journal.forget(entry)
        self._did("copy", f"{sum(c.repaired for c in compared)} rows brought into line")

    def _publish_back(self, receiver: Receiver) -> None:
        target = receiver.pair.target.connection
        if statements := publications.statements(target, receiver.other_way):
            self._altered(receiver, "publish", receiver.database, target, statements)

    # -- how --------------------------------------------------------------------------------

    def _target(self, receiver: Receiver, name: str, text: str, made: Plan) -> None:
        if not made.todo:
            return
        self._step(name, f"{receiver.database}: {text}")
        with self._telling(name):
            outcome = receiver.project.apply(
                made,
                self.allowed,
                rehearse=self.how.rehearse,
                lock_timeout=self.how.lock_timeout,
                lock_wait=self.how.lock_wait,
                unproven=self.how.unproven,
            )
        self._did(name, f"{_statements(outcome)} in {receiver.database}")

    def _altered(
        self,
        receiver: Receiver,
        name: str,
        where: str,
        connection: psycopg.Connection[Any],
        statements: Sequence[Composed],
    ) -> None:
        """Alter a publication under a bounded wait for locks, which writers of its tables may have."""
        self._step(name, f"altering the publication in {where}")
        with self._telling(name):
            for left in reversed(range(TRIES)):
                try:
                    with connection.transaction():
                        bound_lock_waits(connection, self.how.lock_timeout)
                        for statement in statements:
                            connection.execute(statement)
                except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                    if not left:
                        raise
                else:
                    break
        self._did(name, f"{receiver.replication.publication} of {where}")

    def _step(self, name: str, text: str) -> None:
        self.reporter.step(min(len(self.done) + 1, self.total), self.total, text)

    def _did(self, name: str, text: str) -> None:
        self.done.append(Done(name, text))

    @contextmanager
    def _telling(self, step: str) -> Iterator[None]:
        """An error says what stands, and that the same command goes on."""
        try:
            yield
        except (NovaopsError, psycopg.Error) as error:
            known = error if isinstance(error, NovaopsError) else NovaopsError(_said(error))
            stands = [f"stands: {'; '.join(f'{d.name} ({d.text})' for d in self.done)}"] if self.done else []
            waits = [
                f"{m.name} of {r.replication.source.database} is paused, and {r.database} keeps what it writes"
                for r in self.affected
                if r.journal
                for m in r.journal.made
                if m.kind == PAUSED
            ]
            to = ("--to", self.affected[0].database) if len(self.affected) == 1 else ()
            again = f"{command_line('replicate apply', *to)} goes on from here"
            told = InterruptedChangeError(
                f"{step}: {known.message}",
                detail="\n".join(filter(None, [known.detail, *stands, *waits])) or None,
                hint="; then ".join(filter(None, [known.hint, again])),
            )
            told.exit_code = known.exit_code
            raise told from error


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).splitlines()[0]


def _statements(outcome: Outcome) -> str:
    return f"{outcome.statements} statement{'s' * (outcome.statements != 1)}"
