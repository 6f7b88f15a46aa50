"""A set-up: what is still to be done, step by step, journaled before each; undone as a whole when it fails."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from novaops.db.advisory_lock import advisory_lock
from novaops.db.own_schema import ensure_own_schema
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.planning.consents import with_reasons
from novaops.progress import Reporter, Silent
from novaops.replication.declaration import Replication
from novaops.replication.finding import Finding
from novaops.replication.pair import Pair
from novaops.replication.proof.health import health
from novaops.replication.proof.state import as_found
from novaops.replication.proof.verify import Proof, verify
from novaops.replication.set_up import taken
from novaops.replication.set_up.journal import RunJournal, unfinished
from novaops.replication.set_up.setting import Setting
from novaops.replication.set_up.steps import Step, steps
from novaops.replication.set_up.undo import undo

SET_UP, REBUILD, SCHEMA_CHANGE = "set up", "rebuild", "schema change"
"""What a run in the journal is about."""
LOCK = 2
"""Of our advisory locks (novaops.db.advisory_lock) the one for replications; apply, which makes tables, has its own."""
WAIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken, and what came of it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a set-up has done."""

    replication: Replication
    done: tuple[Done, ...]
    """Empty: everything was as declared."""
    proof: Proof | None
    """None where nothing was to be done; `findings` tell the health then."""
    findings: tuple[Finding, ...]
    seconds: float


def set_up(
    pair: Pair,
    replication: Replication,
    reporter: Reporter | None = None,
    *,
    wait: timedelta = WAIT,
    lock_wait: timedelta = timedelta(0),
    allow: Collection[str] | Mapping[str, str] = (),
) -> Outcome:
    """Bring everything to what is declared, and prove that rows arrive.

    `wait` is how long the slot may wait for open transactions of the source's server. Whatever is
    there already stays; rows of the target that would be overwritten or deleted take consent, as
    `allow` gives it (HAZARD[:OBJECT], with a reason in a mapping): without it `RefusedError` is raised. Raises `NovaopsError` when a step fails or the proof does: then exactly what this
    run has made is undone. Killed at any moment, the next call goes on.
    """
    told, begun = reporter or Silent(), time.monotonic()
    replication = as_found(pair, replication)
    target = pair.target.connection
    with advisory_lock(target, wait=lock_wait, lock=LOCK):
        if unfinished(target, replication, REBUILD):
            raise NovaopsError(
                f"{replication.name} is being built anew, and that was cut off",
                hint=f"{command_line('replicate rebuild', *replication.options)} goes on with it",
            )
        if unfinished(target, replication, SCHEMA_CHANGE):
            raise NovaopsError(
                f"a change of the tables of {replication.name} was cut off",
                hint=f"{command_line('replicate apply', '--to', replication.target.database)} goes on with it",
            )
        resumed = unfinished(target, replication, SET_UP)
        given = with_reasons(allow)
        if not resumed and not steps(Setting(pair, replication, None, told, wait)):
            _, found = health(pair, replication, samples=2)
            return Outcome(replication, (), None, found, time.monotonic() - begun)
        ensure_own_schema(target)
        journal = RunJournal.begin(target, replication, SET_UP, given)
        for made in journal.made:
            taken.read(made)  # what is not known could not be undone
        setting = Setting(pair, replication, journal, told, wait, given)
        done, proof = _journaled(setting, journal)
    return Outcome(replication, tuple(done), proof, proof.findings, time.monotonic() - begun)


def pending(pair: Pair, replication: Replication) -> tuple[str, ...]:
    """What a set-up would do, in a few words for each step; nothing where everything is as declared.

    Raises `NovaopsError` where it could not go on.
    """
    known = as_found(pair, replication)
    todo = [step.title for step in steps(Setting(pair, known, None, Silent(), WAIT))]
    if not todo and unfinished(pair.target.connection, known, SET_UP):
        return ("going on with a set-up that was cut off",)
    return tuple(todo)


def _journaled(setting: Setting, journal: RunJournal) -> tuple[list[Done], Proof]:
    try:
        done = take(setting)
        proof = verify(setting.pair, setting.replication, setting.reporter)
        judge(proof)
    except Exception as error:
        left = undo(setting.pair, setting.replication, journal, setting.reporter)
        journal.end("failed", str(error))
        raise _with_what_is_left(error, left) from error
    except KeyboardInterrupt:
        # Once the server copies it may have worked for hours, and goes on by itself: the next run watches it again.
        if not _enabled(setting):
            undo(setting.pair, setting.replication, journal, setting.reporter)
            journal.end("interrupted")
        raise
    journal.end("done")
    return done, proof


def _enabled(setting: Setting) -> bool:
    found = setting.subscription()
    return found is not None and found.enabled


def take(setting: Setting) -> list[Done]:
    """Take the steps. Each is decided upon when its turn comes: those before it have changed things."""
    done: list[Done] = []
    planned: Sequence[Step] = steps(setting)
    for number, step in enumerate(planned, start=1):
        setting.reporter.step(number, len(planned), step.title)
        with setting.reporter.phase(step.title):
            text = step.run()
        if text:
            done.append(Done(step.name, text))
    return done


def judge(proof: Proof) -> None:
    """Raise `NovaopsError` with what the proof has found to be wrong."""
    wrong = [finding for finding in proof.findings if finding.severity == "error"]
    if wrong:
        raise NovaopsError(
            f"{proof.replication.name} was set up, and the proof failed: {wrong[0].message}",
            detail="\n".join(filter(None, [wrong[0].detail, *(f.message for f in wrong[1:])])) or None,
            hint=wrong[0].remedy,
        )


def _with_what_is_left(error: Exception, left: Sequence[str]) -> Exception:
    if not left:
        return error
    kept = "not undone: " + "; ".join(left)
    if isinstance(error, NovaopsError):
        detail = "\n".join(filter(None, [error.detail, kept]))
        return type(error)(error.message, detail=detail, hint=error.hint)
    return NovaopsError(str(error), detail=kept)
