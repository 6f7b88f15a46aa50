"""What was applied is recorded in the database, and a run that was cut off goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from novaops.db.advisory_lock import advisory_lock
from novaops.errors import NovaopsError, TargetChangedError
from novaops.execution.stamp import stamp
from novaops.planning.plan import Plan
from novaops.progress import Silent
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
PLAIN = Options(ignore_file=None)
GRANTS_ASIDE = replace(PLAIN, privileges="ignore")
LIVE = """
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE t (a int, b text, m mood);
INSERT INTO t SELECT n, n FROM generate_series(1, 100) n;
"""
# Committed one by one: a label, the index, the constraint, its validation.
DECLARED = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE t (a int CHECK (a > 0), b text, m mood DEFAULT 'glad');
CREATE INDEX t_b ON t (b);
COMMENT ON TABLE t IS 'made';
"""


class Stopped(Exception):
    """Thrown in place of a kill where one process is to see both sides of it."""


class StopBefore(Silent):
    """Gives up before a statement."""

    def __init__(self, number: int) -> None:
        self.number = number

    def step(self, index: int, total: int, sql: str) -> None:
        if index == self.number:
            raise Stopped


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database("journal")


@pytest.fixture
def live(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LIVE)
        yield connection


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "schema.sql"
    path.write_text(DECLARED)
    return path


@pytest.fixture
def role(live: Connection) -> Iterator[str]:
    """A role that may log in and owns nothing."""
    name = f"applier_{live.info.dbname.rpartition('_')[2]}"
    live.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
    yield name
    live.execute(f"DROP OWNED BY {name}")
    live.execute(f"DROP ROLE {name}")


def cut_off(url: str, file: Path, number: int) -> Plan:
    """Apply the plan and give up before that statement, as if the process had died: nothing is cleared away."""
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        project.reporter = StopBefore(number)
        with pytest.raises(Stopped):
            project.apply(plan, rehearse=False)
    return plan


def outside(plan: Plan) -> int:
    """The number of the first statement outside of transactions."""
    return next(number for number, s in enumerate(plan.statements, 1) if s.transaction is None)


def value(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


# -- what is recorded ---------------------------------------------------------------------------


def test_a_run_is_recorded_with_its_statements(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        outcome = project.apply(plan)
        (run,) = project.history()
    assert (run.run, run.outcome, run.role) == (outcome.history, "converged", live.info.user)
    assert run.done == run.statements == len(plan.statements) > 4
    recorded = live.execute("SELECT sql FROM novaops.journal_statement ORDER BY number").fetchall()
    assert [sql for (sql,) in recorded] == [s.sql for s in plan.statements]


def test_the_journal_is_no_difference_and_in_no_dump(url: str, live: Connection, file: Path) -> None:
    live.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
    for scope in ("schemas", "database"):
        with Project(url, file, replace(PLAIN, scope=scope, privileges="managed")) as project:
            project.plan()
            project.apply(allow=["all"])
            assert live.execute("SELECT FROM novaops.journal").rowcount
            again = project.plan()
            assert (again.changes, again.skipped, again.unmanaged) == ((), (), ())
            dump = project.dump()
            assert "SCHEMA novaops" not in dump
            assert "novaops.journal" not in dump


def test_without_a_journal_nothing_is_made(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, replace(PLAIN, journal=False)) as project:
        assert project.apply().history is None
        assert project.history() == []
    assert value(live, "SELECT to_regnamespace('novaops')") is None


def test_an_apply_of_nothing_makes_no_journal(url: str, live: Connection, tmp_path: Path) -> None:
    (tmp_path / "same.sql").write_text(LIVE.partition("INSERT")[0])
    with Project(url, tmp_path / "same.sql", PLAIN) as project:
        assert project.apply().statements == 0
    assert value(live, "SELECT to_regnamespace('novaops')") is None


def test_a_failure_is_recorded(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        live.execute("INSERT INTO t VALUES (-1)")
        with pytest.raises(NovaopsError, match="violated by some row"):
            project.apply(plan)
        (run,) = project.history()
        assert (run.outcome, run.open) == ("failed", False)
        assert "violated by some row" in (run.error or "")
        assert 0 < run.done < run.statements


def test_secrets_are_not_recorded(url: str, live: Connection, tmp_path: Path) -> None:
    (tmp_path / "secret.sql").write_text(
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
        "CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'hush');"
    )
    with Project(url, tmp_path / "secret.sql", PLAIN) as project:
        project.apply(allow=["all"])
    assert value(live, "SELECT umoptions FROM pg_user_mappings") == ["password=hush"]
    everything = live.execute("SELECT s::text FROM novaops.journal_statement s").fetchall()
    assert everything
    assert not any("hush" in text for (text,) in everything)


# -- who may ------------------------------------------------------------------------------------


def test_who_may_not_make_it_is_told_what_to_grant(url: str, live: Connection, file: Path, role: str) -> None:
    live.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {role}; ALTER TABLE t OWNER TO {role}")
    live.execute(f"ALTER TYPE mood OWNER TO {role}")
    with Project(url, file, GRANTS_ASIDE) as project:
        plan = project.plan()
    theirs = make_conninfo(url, user=role, password="p")
    with Project(theirs, file, PLAIN) as project:
        with pytest.raises(NovaopsError, match="may not create the schema novaops") as refused:
            project.apply(plan)
        assert f"GRANT CREATE ON DATABASE {live.info.dbname} TO {role}" in (refused.value.hint or "")
        assert "--no-journal" in (refused.value.hint or "")
    with Project(theirs, file, replace(PLAIN, journal=False)) as project:
        # The role may not create databases, and so not a copy either.
        assert project.apply(plan, rehearse=False).statements == len(plan.statements)


def test_another_role_is_told_what_to_grant(url: str, live: Connection, file: Path, role: str) -> None:
    with Project(url, file, PLAIN) as project:
        project.apply()
    live.execute(f"GRANT CREATE ON DATABASE {live.info.dbname} TO {role}")
    live.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {role}")
    file.write_text(DECLARED + "CREATE TABLE theirs ();")
    with Project(url, file, GRANTS_ASIDE) as project:
        plan = project.plan()
    with Project(make_conninfo(url, user=role, password="p"), file, PLAIN) as project:
        with pytest.raises(NovaopsError, match="may not write to the journal") as refused:
            project.apply(plan)
        grants = (refused.value.hint or "").partition("; or ")[0]
        assert not value(live, "SELECT to_regclass('theirs')")
        live.execute(grants)
        assert project.apply(plan, rehearse=False).history == 2


def test_a_newer_journal_is_left_alone(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, PLAIN) as project:
        project.apply()
        live.execute("UPDATE novaops.version SET version = 99; ALTER TABLE t ADD c int")
        with pytest.raises(NovaopsError, match="made by a newer novaops"):
            project.apply(allow=["all"])


# -- cut off ------------------------------------------------------------------------------------


def test_a_plan_goes_on_where_it_was_cut_off(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, PLAIN) as project:
        number = outside(project.plan()) + 1
    plan = cut_off(url, file, number)
    notes = Notes()
    with Project(url, file, PLAIN, notes) as project:
        outcome = project.apply(plan)
        (run,) = project.history()
        assert not project.plan().statements
    assert outcome.statements == len(plan.statements) - number + 1
    assert (run.outcome, run.resumed, run.done) == ("applied", 1, run.statements)
    assert any(
        f"{number - 1} of its {len(plan.statements)} statements were committed" in n for n in notes.notes
    )


def test_after_a_change_of_somebody_else_it_does_not(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, PLAIN) as project:
        number = outside(project.plan()) + 1
    plan = cut_off(url, file, number)
    live.execute("COMMENT ON COLUMN t.a IS 'not planned'")
    with Project(url, file, PLAIN) as project:
        with pytest.raises(TargetChangedError):
            project.apply(plan)
        assert project.apply().left == ()


def test_another_plan_does_not_go_on(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
    cut_off(url, file, outside(plan) + 1)
    other = replace(plan, statements=plan.statements[:-1])
    with Project(url, file, PLAIN) as project, pytest.raises(TargetChangedError):
        project.apply(other)


def test_a_run_that_only_lacked_its_end_has_converged(url: str, live: Connection, file: Path) -> None:
    with Project(url, file, PLAIN) as project:
        project.apply()
        live.execute("UPDATE novaops.journal SET outcome = NULL, state = NULL, finished = NULL")
        assert project.apply().statements == 0
        assert project.history()[0].outcome == "converged"
    assert value(live, "SELECT state IS NOT NULL FROM novaops.journal")


REBUILT = """
CREATE TABLE t (a int, b {type});
CREATE VIEW v AS SELECT b FROM t;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE INDEX t_a ON t (a);
COMMENT ON TABLE t IS '{comment}';
"""


@pytest.fixture
def rebuilding(url: str, file: Path, live: Connection) -> Connection:
    """A view with grants that the files do not give has been dropped to be made anew when the apply was cut off."""
    live.execute("DROP TABLE t; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad')")
    live.execute(
        "CREATE TABLE t (a int, b varchar(9)); INSERT INTO t VALUES (1, 'x'); CREATE VIEW v AS SELECT b FROM t"
    )
    live.execute("GRANT SELECT ON v TO PUBLIC")
    file.write_text(REBUILT.format(type="text", comment="one"))
    with Project(url, file, PLAIN) as project:
        texts = [s.sql for s in project.plan().statements]
    cut_off(url, file, next(n for n, sql in enumerate(texts, 1) if sql.startswith("CREATE VIEW")))
    assert value(live, "SELECT to_regclass('v')") is None
    return live


def test_the_same_files_finish_the_run(url: str, file: Path, rebuilding: Connection) -> None:
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert plan.continues == 1
        assert "history 1 was cut off; these are the last" in plan.notices[-1]
        assert project.apply(plan).left == ()
        (run,) = project.history()
    assert (run.outcome, run.resumed, run.done) == ("converged", 1, run.statements)
    assert value(rebuilding, "SELECT relacl::text FROM pg_class WHERE relname = 'v'").count("=r/") == 1


def test_other_files_are_planned_anew_and_told_what_is_missing(
    url: str, file: Path, rebuilding: Connection
) -> None:
    file.write_text(REBUILT.format(type="text", comment="two"))
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert plan.continues is None
        assert any("had dropped public.v to make it anew" in notice for notice in plan.notices)
        assert project.apply(plan).left == ()


def test_other_options_are_planned_anew(url: str, file: Path, rebuilding: Connection) -> None:
    with Project(url, file, replace(PLAIN, privileges="ignore")) as project:
        assert project.plan().continues is None


def test_a_run_at_work_is_not_taken_for_one_that_was_cut_off(
    url: str, file: Path, rebuilding: Connection
) -> None:
    rebuilding.execute("UPDATE novaops.journal SET outcome = NULL")
    with advisory_lock(rebuilding), Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert plan.continues is None
        assert any("history 1 is at work" in notice for notice in plan.notices)
        with pytest.raises(NovaopsError, match="another novaops is changing"):
            project.apply(plan)


# -- statements outside of transactions ---------------------------------------------------------


@pytest.mark.parametrize("left", ["nothing", "an invalid index", "the whole index"])
def test_a_started_build_is_finished(url: str, live: Connection, file: Path, left: str) -> None:
    """The process died while the statement ran; the server had come to one of these."""
    with Project(url, file, PLAIN) as project:
        number = outside(project.plan())
    plan = cut_off(url, file, number)
    live.execute("UPDATE novaops.journal_statement SET state = 'started' WHERE number = %s", [number])
    live.execute("UPDATE novaops.journal SET outcome = NULL, finished = NULL")
    if left == "an invalid index":
        live.execute("SET statement_timeout = '500ms'")
        with psycopg.connect(url) as writer:
            writer.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")  # the build waits for whoever may write
            with pytest.raises(psycopg.errors.QueryCanceled):
                live.execute(plan.statements[number - 1].sql)
        live.execute("RESET statement_timeout")
        assert value(live, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 1
    elif left == "the whole index":
        live.execute(plan.statements[number - 1].sql)
    before = value(live, "SELECT to_regclass('t_b')::oid")
    with Project(url, file, PLAIN) as project:
        outcome = project.apply(plan)
        assert not project.plan().statements
    assert outcome.statements == len(plan.statements) - number + (left != "the whole index")
    assert value(live, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    if left == "the whole index":
        assert value(live, "SELECT to_regclass('t_b')::oid") == before


def test_an_invalid_index_of_somebody_else_is_left_alone(url: str, live: Connection, file: Path) -> None:
    live.execute("CREATE TABLE u (a int); INSERT INTO u VALUES (1), (1)")
    file.write_text(DECLARED + "CREATE TABLE u (a int);")
    with Project(url, file, PLAIN) as project:
        number = outside(project.plan())
    cut_off(url, file, number)
    live.execute("UPDATE novaops.journal_statement SET state = 'started' WHERE number = %s", [number])
    with pytest.raises(psycopg.errors.UniqueViolation):
        live.execute("CREATE UNIQUE INDEX CONCURRENTLY theirs ON u (a)")
    with Project(url, file, PLAIN) as project:
        project.recover()
    assert value(live, "SELECT to_regclass('theirs')") == "theirs"


def test_an_index_that_somebody_else_made_meanwhile_stays(url: str, live: Connection, file: Path) -> None:
    class Meanwhile(Silent):
        def step(self, index: int, total: int, sql: str) -> None:
            if "CONCURRENTLY t_b" in sql:
                live.execute("CREATE INDEX t_b ON t (b, a)")

    with Project(url, file, PLAIN, Meanwhile()) as project:
        with pytest.raises(NovaopsError, match='"t_b" already exists'):
            project.apply(rehearse=False)
        assert value(live, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_b'::regclass")
        project.reporter = Silent()
        assert project.apply().left == ()


# -- the stamp ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "COMMENT ON TABLE t IS 'x'", "GRANT SELECT ON t TO PUBLIC", "ALTER TABLE t ALTER a SET DEFAULT 3",
        "ALTER TABLE t ALTER a SET STATISTICS 7", "CREATE FUNCTION f() RETURNS int RETURN 1", "DROP TABLE t",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", "ALTER TABLE t RENAME b TO c", "CREATE SEQUENCE s",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "ALTER TABLE t SET (fillfactor = 50)", "CREATE SCHEMA x",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "CREATE PUBLICATION p",
    ],
)  # fmt: skip
def test_any_change_changes_the_stamp(live: Connection, change: str) -> None:
    before = stamp(live)
    live.execute(change)
    assert stamp(live) != before


def test_ordinary_work_does_not(url: str, live: Connection) -> None:
    live.execute("CREATE MATERIALIZED VIEW v AS SELECT * FROM t; CREATE INDEX ON t (b)")
    before = stamp(live)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE TEMP TABLE x (a int PRIMARY KEY DEFAULT 3, b text CHECK (b <> ''))")
        other.execute("COMMENT ON TABLE x IS 'mine'; CREATE VIEW pg_temp.y AS SELECT * FROM x")
        other.execute("CREATE FUNCTION pg_temp.f() RETURNS int RETURN 1")
        other.execute("INSERT INTO t SELECT n, repeat('x', n) FROM generate_series(1, 3000) n")
        other.execute("DELETE FROM t WHERE a > 2000")
        for text in (
            "REFRESH MATERIALIZED VIEW v",
            "VACUUM ANALYZE t",
            "REINDEX TABLE t",
            "VACUUM FULL t",
            "TRUNCATE t",
        ):
            other.execute(text)
        assert stamp(live) == before
