"""Applies a plan and kills itself with SIGKILL on the way, as often as it is told to.

Called with the URL of a database and a plan file. Each line of its input is the moment to die at; for each a process of
its own starts, applies the plan and is gone, whereupon "gone" is printed, or whatever else became of it. The moments:

    before 7      when statement 7 is about to run
    unrecorded 7  after statement 7, before the journal hears of it: before its transaction is committed, if it is in one
    recorded 7    after that, before the commit
    end           after the last commit, before the run is marked as over
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from novaops.execution import journal
from novaops.output.plan import load_plan
from novaops.progress import Silent
from novaops.project import Options, Project


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Silent):
    """Dies before a statement, or when the last one has been committed."""

    def __init__(self, moment: str, number: int) -> None:
        self.moment, self.number, self.over = moment, number, False

    def step(self, index: int, total: int, sql: str) -> None:
        self.over = index == total
        if (self.moment, self.number) == ("before", index):
            die()

    def phase(self, text: str) -> AbstractContextManager[None]:
        if self.moment == "end" and self.over:
            die()
        return nullcontext()


class MortalJournal(journal.DatabaseJournal):
    """Dies before or after it records a statement as done."""

    moment, number = "", 0

    def _done(self, first: int, last: int) -> None:
        if (self.moment, self.number) == ("unrecorded", last):
            die()
        super()._done(first, last)
        if (self.moment, self.number) == ("recorded", last):
            die()


def run(url: str, file: Path, moment: str, number: int) -> None:
    from novaops.project import recording

    MortalJournal.moment, MortalJournal.number = moment, number
    recording.DatabaseJournal = MortalJournal  # type: ignore[misc]
    with Project(url, file, Options(ignore_file=None), Mortal(moment, number)) as project:
        project.apply(load_plan(file), ["all"], rehearse=False)


def main() -> None:
    url, file = sys.argv[1], Path(sys.argv[2])
    for line in sys.stdin:
        moment, _, number = line.strip().partition(" ")
        child = os.fork()
        if child == 0:
            try:
                run(url, file, moment, int(number or 0))
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        gone = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("gone" if gone else f"status {status}", flush=True)


main()
