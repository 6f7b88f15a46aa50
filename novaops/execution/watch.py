"""Looks from a second connection at what the first one waits for, and how far it is with an index."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from threading import Event, Thread
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

from novaops.db.connection import connect
from novaops.db.environment import parameters
from novaops.durations import in_words
from novaops.errors import NovaopsError
from novaops.progress import Reporter

EVERY = 0.2
"""Seconds between two looks; asking who blocks whom stops the lock manager for a moment."""
PATIENCE = 1.0
"""Seconds of waiting that nobody is told about."""
SHOWN = 60
"""How much of somebody else's query is shown."""


@dataclass(frozen=True, slots=True)
class Blocker:
    """The session that stands in the way; of other roles' sessions only some may see more than the pid."""

    relation: str | None
    """What is waited for; None when it is the end of older transactions."""
    pid: int
    user_name: str | None
    state: str | None
    age: timedelta | None
    query: str | None

    def __str__(self) -> str:
        state = " for ".join(filter(None, [self.state, in_words(self.age) if self.age else None]))
        known = ", ".join(filter(None, [self.user_name, state]))
        who = f"pid {self.pid}" if self.pid else "a prepared transaction"
        held = f"a lock on {self.relation}: held by" if self.relation else "older transactions to end:"
        text = f"waiting for {held} {who}" + (f" ({known})" if known else "")
        query = " ".join((self.query or "").split())
        return f"{text}: {query[:SHOWN]}{'…' * (len(query) > SHOWN)}" if query else text


class Watch:
    """Tells the reporter who is waited for, once each, and how far an index is."""

    def __init__(self, connection: psycopg.Connection[Any], reporter: Reporter) -> None:
        info = connection.info
        self._conninfo = make_conninfo(**parameters(connection))
        self._pid = info.backend_pid
        self._reporter = reporter
        self._since: float | None = None
        self._said = ""
        self._suffix = ""
        self._stopped = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self.blocker: Blocker | None = None
        """Who was waited for last."""

    @classmethod
    @contextmanager
    def over(cls, connection: psycopg.Connection[Any], reporter: Reporter) -> Iterator[Watch]:
        """Watch the connection while the context lasts."""
        watch = cls(connection, reporter)
        watch._thread.start()
        try:
            yield watch
        finally:
            watch._stopped.set()
            watch._thread.join()

    @contextmanager
    def work(self, attempt: str = "") -> Iterator[None]:
        """Something goes on that may have to wait; `attempt` is said along with it ("try 2 of 5")."""
        self._said, self._suffix = "", f" · {attempt}" if attempt else ""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def told(self, attempt: str) -> str | None:
        """Make sure that people know why the attempt failed; returns the relation in the way, if known."""
        if not self._said:
            self._reporter.waiting(f"{self.blocker or 'a lock could not be had'} · {attempt}")
        return self.blocker.relation if self.blocker else None

    def _run(self) -> None:
        # Without a second connection, as there is none free perhaps, the work goes on unseen.
        with suppress(psycopg.Error, NovaopsError), connect(self._conninfo) as connection:
            while not self._stopped.wait(EVERY):
                if self._busy():
                    self._look(connection)

    def _busy(self) -> bool:
        since = self._since
        return since is not None and time.monotonic() - since >= EVERY

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        pid = {"pid": self._pid}
        with connection.cursor(row_factory=class_row(Blocker)) as cursor:
            blocker = cursor.execute(_query("watch.sql"), pid).fetchone()
        since = self._since
        if since is None:
            return
        if blocker is not None:
            self.blocker = blocker
            told = f"{blocker.pid} {blocker.relation}"
            if told != self._said and time.monotonic() - since >= PATIENCE:
                self._said = told
                self._reporter.waiting(f"{blocker}{self._suffix}")
        row = connection.execute(_query("index_progress.sql"), pid).fetchone()
        if row is not None:
            self._reporter.progress(*row)


@cache
def _query(name: str) -> str:
    return files("novaops.execution").joinpath(name).read_text()
