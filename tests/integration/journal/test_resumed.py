"""A run that was cut off goes on from there, and from nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from novaops.db.advisory_lock import advisory_lock
from novaops.errors import NovaopsError, TargetChangedError
from novaops.project import Project
from tests.integration.journal.conftest import (
    PLAIN,
    Connection,
    Notes,
    cut_off,
    outside,
    value,
)


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
    number = next(n for n, sql in enumerate(texts, 1) if sql.startswith("CREATE VIEW"))
    cut_off(url, file, number, one_by_one=True)
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


def test_what_the_run_did_not_ask_is_not_asked_when_it_goes_on(
    url: str, file: Path, live: Connection
) -> None:
    """Without the default that the run has dropped already, a new plan would not know whose position to keep."""
    live.execute("DROP TABLE t; CREATE TABLE t (a serial, b int); INSERT INTO t (b) VALUES (1), (2)")
    live.execute("DELETE FROM t WHERE a = 2")
    file.write_text(
        "CREATE TABLE t (a int GENERATED BY DEFAULT AS IDENTITY, b int); CREATE TYPE mood AS ENUM ('sad');"
    )
    with Project(url, file, PLAIN) as project:
        texts = [s.sql for s in project.plan().statements]
    cut_off(url, file, 1 + next(n for n, s in enumerate(texts, 1) if "DROP DEFAULT" in s), one_by_one=True)
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert (plan.continues, plan.blocked) == (1, ())
        assert project.apply(plan).left == ()
    assert value(live, "INSERT INTO t (b) VALUES (3) RETURNING a") == 3
