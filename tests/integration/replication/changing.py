"""Changes of replicated tables while rows are written; not a test itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType

import psycopg

from novaops.progress import Reporter, Silent
from novaops.project import Options, Project
from novaops.replication.declaration import Replication
from novaops.replication.facts import subscriptions
from novaops.replication.pair import open_pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.proof.compare import compare
from novaops.replication.schema_change.change import open_change
from novaops.replication.schema_change.course import Course
from novaops.replication.schema_change.run import Changed, How, apply

QUICK = How(rehearse=False)


class Writer:
    """Writes to a database all the time; each statement that the schema does not take yet, or no more, is skipped."""

    def __init__(self, url: str, *statements: str) -> None:
        self.url, self.statements = url, statements
        self.over = threading.Event()
        self.written = dict.fromkeys(statements, 0)
        self.rounds = 0
        self.thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writer:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.thread.join()

    def wait(self, rounds: int) -> None:
        """Until each statement has been tried so often."""
        until = self.rounds + rounds
        while self.rounds < until and self.thread.is_alive():
            time.sleep(0.01)

    def _write(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.over.wait(0.003):
                self.rounds += 1
                for statement in self.statements:
                    try:
                        connection.execute(statement.encode())
                        self.written[statement] += 1
                    except (
                        psycopg.errors.ProgrammingError,
                        psycopg.errors.IntegrityError,
                        psycopg.errors.DataError,
                    ):
                        continue


def files(folder: Path, sql: str) -> Path:
    file = folder / "schema.sql"
    file.write_text(sql)
    return file


def change(
    declared: Replication | Sequence[Replication],
    file: Path,
    allow: Collection[str] = (),
    *,
    reporter: Reporter | None = None,
    how: How = QUICK,
) -> tuple[Course, Changed]:
    """Plan it and take it through."""
    wanted = [declared] if isinstance(declared, Replication) else list(declared)
    project = Project({}, file, Options(ignore_file=None, undeclared="drop"), reporter or Silent())
    with open_change(project, wanted, wanted) as found:
        course = found.plan(allow)
        return course, apply(found, course, allow, how)


def planned(declared: Replication, file: Path) -> Course:
    project = Project({}, file, Options(ignore_file=None, undeclared="drop"))
    with open_change(project, [declared], [declared]) as found:
        return found.plan()


def in_step(declared: Replication) -> None:
    """Every row has arrived, and the subscription has never stopped at one."""
    with open_pair(declared) as pair:
        assert barrier(pair, declared).passed
        found = subscriptions(pair.target.connection)[declared.subscription]
        assert (found.enabled, found.apply_errors) == (True, 0)
        for compared in compare(pair, declared):
            assert compared.equal, compared
