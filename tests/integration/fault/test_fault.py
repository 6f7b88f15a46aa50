"""Whenever an apply is cut off, the next one finishes it: nothing is lost, and nothing is left behind.

A plan of many transactions, of indexes built concurrently, enum labels and constraints validated apart is applied to
tables with rows, and the process is killed, or the server's session, at each of its statements. By default at some of
them; with --every-fault at all.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.errors import NovaopsError, TargetChangedError
from novaops.execution.apply import segments
from novaops.output.plan import save_plan
from novaops.planning.plan import Plan
from novaops.planning.planner import live_fingerprint
from novaops.progress import Silent
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EVERY = 13
AGAIN = ("plan file", "files")
"""How an apply is done again: with the plan that was cut off, or with one made now."""
LOCK_WAIT = timedelta(seconds=60)
BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = %s"
LEFT = """
SELECT 'invalid index ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid
UNION ALL SELECT 'index ' || relname FROM pg_class WHERE relname LIKE '%\\_\\_novaops\\_%'
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE conname LIKE '%\\_\\_novaops\\_%'
UNION ALL SELECT 'lock ' || locktype || mode FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE '%novaops%' AND rolname NOT LIKE 'novaops\\_test\\_%'
"""
ROWS = """
SELECT (SELECT array_agg((id, email, note, state, score) ORDER BY id)::text FROM customers),
       (SELECT array_agg((id, customer, amount, placed, size) ORDER BY id)::text FROM orders),
       (SELECT array_agg((id, "order", label, count, price) ORDER BY id)::text FROM items),
       (SELECT array_agg((id, item, said, at) ORDER BY id)::text FROM events)
"""


@dataclass
class Fault:
    """A database that is made anew for every fault, the plan for it, and what is to come of it."""

    server: str
    url: str
    name: str
    declared: Path
    plan_file: Path
    shadow: str
    plan: Plan = field(init=False)
    end: str = field(init=False)
    rows: tuple[str, ...] = field(init=False)

    def anew(self) -> None:
        """The database as it was before anything was applied."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.name}_template")

    def project(self, reporter: Silent | None = None, shadow: str = "") -> Project:
        """By default with a shadow that exists: making one takes longer than all the rest."""
        options = Options(ignore_file=None, shadow=shadow or self.shadow)
        return Project(self.url, self.declared, options, reporter or Silent())

    def finish(self, again: str, shadow: str = "") -> None:
        """Apply the plan file once more, or what the files declare, and look at what came of it."""
        with self.project(shadow=shadow) as project:
            project.recover(LOCK_WAIT)
            made = self.plan if again == "plan file" else project.plan(["all"])
            project.apply(made, ["all"], rehearse=False, lock_wait=LOCK_WAIT)
            self.check(project)

    def check(self, project: Project) -> None:
        assert project.connection.execute(LEFT).fetchall() == []
        assert project.connection.execute(ROWS).fetchone() == self.rows
        # Everything else, grants and comments too, is as after a run that nothing happened to.
        assert live_fingerprint(project.inspect(), project.scope()) == self.end
        assert {run.outcome for run in project.history()[:1]} <= {"converged", "applied"}


@pytest.fixture(scope="module")
def fault(
    server_url: str, database_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fault]:
    name = f"fault_{secrets.token_hex(4)}"
    folder = tmp_path_factory.mktemp("fault")
    roles = {"reader": f"{name}_reader", "writer": f"{name}_writer"}

    def text(file: str) -> str:
        found = (HERE / file).read_text()
        for role, called in roles.items():
            found = found.replace(f"{{{role}}}", called)
        return found

    (folder / "after.sql").write_text(text("after.sql"))
    shadow = database_url(f"{name}_shadow")
    made = Fault(server_url, database_url(name), name, folder / "after.sql", folder / "plan.json", shadow)
    with psycopg.connect(server_url, autocommit=True) as connection:
        for role in roles.values():
            connection.execute(f"CREATE ROLE {role}")
        for database in (f"{name}_shadow", f"{name}_template"):
            connection.execute(f"CREATE DATABASE {database} TEMPLATE template0")
        with psycopg.connect(database_url(f"{name}_template"), autocommit=True) as template:
            template.execute(text("before.sql"))
        try:
            made.anew()
            _reference(made)
            yield made
        finally:
            for database in (name, f"{name}_shadow", f"{name}_template"):
                connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            for role in roles.values():
                connection.execute(f"DROP ROLE {role}")


def _reference(made: Fault) -> None:
    """The plan, and what comes of it when nothing happens."""
    with made.project(shadow="server") as project:
        made.plan = project.plan(["all"])
        save_plan(made.plan, made.plan_file)
        rows = project.connection.execute(ROWS).fetchone()
        assert rows is not None
        made.rows = rows
        outcome = project.apply(made.plan, ["all"])
        assert outcome.left == ()
        assert outcome.rehearsal is not None
        assert outcome.rehearsal["converges"]
        made.end = live_fingerprint(project.inspect(), project.scope())


class Faults:
    """The moments at which an apply is cut off, and how it is done again after each.

    With `every`, at all statements and both ways. Without, at every thirteenth statement and around all that
    run outside of transactions, and the two ways take turns.
    """

    def __init__(self, plan: Plan, every: bool) -> None:
        self.every = every
        total = len(plan.statements)
        outside = {n for n, s in enumerate(plan.statements, 1) if s.transaction is None}
        some = {*range(1, total + 1, EVERY), *outside, *(n + 1 for n in outside), total}
        self._before = range(1, total + 1) if every else sorted(some)
        self._last = list(_last(plan))[:: 1 if every else EVERY]

    def before(self, again: str) -> Sequence[int]:
        """The numbers of the statements before which it happens."""
        return self._before if self.every else self._before[AGAIN.index(again) :: len(AGAIN)]

    def moments(self, again: str) -> list[str]:
        """What the driver is told."""
        recording = [f"{what} {n}" for n in self._last for what in ("unrecorded", "recorded")]
        return [*(f"before {n}" for n in self.before(again)), *recording, "end"]


def _last(plan: Plan) -> Iterator[int]:
    """The number of the last statement of each segment."""
    done = 0
    for segment in segments(plan):
        done += len(segment.statements)
        yield done


def test_the_plan_is_worth_it(fault: Fault) -> None:
    statements = fault.plan.statements
    assert len(statements) >= 60
    assert len({s.transaction for s in statements} - {None}) >= 10
    assert sum("CONCURRENTLY" in s.sql for s in statements) >= 10
    for word in ("ADD VALUE", "VALIDATE CONSTRAINT", "COMMENT ON", "GRANT ", "DROP VIEW"):
        assert any(word in s.sql for s in statements), word


@pytest.mark.parametrize("again", AGAIN)
def test_the_process_is_killed(fault: Fault, again: str, pytestconfig: pytest.Config) -> None:
    driver = subprocess.Popen(
        [sys.executable, HERE / "driver.py", fault.url, fault.plan_file],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert driver.stdin
    assert driver.stdout
    with driver:
        for moment in Faults(fault.plan, pytestconfig.getoption("--every-fault")).moments(again):
            fault.anew()
            print(moment, file=driver.stdin, flush=True)
            assert driver.stdout.readline() == "gone\n", moment
            try:
                fault.finish(again)
            except (AssertionError, NovaopsError) as error:
                error.add_note(f"killed {moment}")
                raise
        driver.stdin.close()


class Terminator(Silent):
    """Ends the session of the apply before a statement."""

    def __init__(self, fault: Fault, number: int) -> None:
        self.fault, self.number = fault, number
        self.pid = 0

    def step(self, index: int, total: int, sql: str) -> None:
        if index == self.number:
            with psycopg.connect(self.fault.server, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s, 10000)", [self.pid])


def cut_off(fault: Fault, number: int) -> None:
    """Apply the plan to a new database, and end the session before that statement."""
    fault.anew()
    terminator = Terminator(fault, number)
    with fault.project(terminator) as project:
        terminator.pid = project.connection.info.backend_pid
        with pytest.raises(NovaopsError):
            project.apply(fault.plan, ["all"], rehearse=False)


@pytest.mark.parametrize("again", AGAIN)
def test_the_session_is_ended(fault: Fault, again: str, pytestconfig: pytest.Config) -> None:
    for number in Faults(fault.plan, pytestconfig.getoption("--every-fault")).before(again):
        cut_off(fault, number)
        try:
            fault.finish(again)
        except (AssertionError, NovaopsError) as error:
            error.add_note(f"ended before {number}")
            raise


def test_somebody_elses_change_is_not_overrun(fault: Fault) -> None:
    """In the middle of the plan: the plan file is refused, and a new plan converges."""
    cut_off(fault, len(fault.plan.statements) // 2)
    with psycopg.connect(fault.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE customers ADD COLUMN surprise text")
    with fault.project() as project:
        with pytest.raises(TargetChangedError):
            project.apply(fault.plan, ["all"], rehearse=False)
        assert project.apply(project.plan(["all"]), ["all"]).left == ()
        assert project.connection.execute(LEFT).fetchall() == []


@pytest.mark.parametrize("again", AGAIN)
def test_killed_while_an_index_is_built(fault: Fault, again: str) -> None:
    """The server notices that nobody waits for the index, and the next apply removes what there is of it."""
    number = next(n for n, s in enumerate(fault.plan.statements, 1) if s.transaction is None)
    assert " ON public.customers " in fault.plan.statements[number - 1].sql
    cut_off(fault, number)
    writer = psycopg.connect(fault.url)
    writer.execute("LOCK TABLE customers IN ROW EXCLUSIVE MODE")  # the build waits for whoever may write
    program = (
        "import sys; from pathlib import Path; from novaops.output.plan import load_plan;"
        "from novaops.project import Project;"
        "Project(sys.argv[1]).apply(load_plan(Path(sys.argv[2])), ['all'], rehearse=False)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, fault.url, fault.plan_file], cwd=HERE, env={"PYTHONPATH": str(ROOT)}
    )
    with psycopg.connect(fault.server, autocommit=True) as connection, writer:
        _until(connection, BUILDING + " AND phase LIKE 'waiting for writers%%'", fault.name, 1)
        process.kill()
        process.wait()
        _until(connection, BUILDING, fault.name, 0)
        found = writer.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
        assert found == (1,)
    fault.finish(again)


def test_killed_while_it_rehearses(fault: Fault) -> None:
    """The copy is a database; the next apply drops it."""
    fault.anew()
    program = (
        "import os, sys; from pathlib import Path; from novaops.execution.observe import Observer;"
        "from novaops.project import Options, Project;"
        "Observer.run = lambda *_: os.kill(os.getpid(), 9);"
        "Project(sys.argv[1], Path(sys.argv[2]), Options(ignore_file=None)).apply(allow=['all'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, fault.url, fault.declared], cwd=HERE, env={"PYTHONPATH": str(ROOT)}
    )
    assert process.wait() == -signal.SIGKILL
    copy = f"novaops_shadow_{process.pid}_"
    with psycopg.connect(fault.server, autocommit=True) as connection:
        # One of them may be just making another database, in a session of the target's.
        sessions = "starts_with(datname, %s)", "application_name = 'novaops' AND datname = %s"
        for which, name in zip(sessions, (copy, fault.name), strict=True):
            _until(connection, f"SELECT count(*) FROM pg_stat_activity WHERE {which}", name, 0)
        _until(connection, f"SELECT count(*) FROM pg_stat_activity WHERE {sessions[0]}", copy, 0)
        fault.finish("files", "server")
        _until(connection, "SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)", copy, 0)


def _until(connection: Connection, query: str, value: str, wanted: int) -> None:
    for _ in range(600):
        if connection.execute(query, [value]).fetchone() == (wanted,):
            return
        time.sleep(0.05)
    raise AssertionError(query)
