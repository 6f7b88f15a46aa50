"""What a run that was interrupted between a drop and its creation leaves missing, and how that comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from novaops.errors import RefusedError
from novaops.execution.stamp import stamp
from novaops.project import Project
from tests.integration.journal.conftest import PLAIN, StopBefore, Stopped, committed_one_by_one

LIVE = """
CREATE TABLE secrets (id int PRIMARY KEY, tenant int);
CREATE TABLE logs (id int, secret int CONSTRAINT logs_secret REFERENCES secrets);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secrets USING (true);
CREATE POLICY r ON secrets AS RESTRICTIVE USING (tenant = 1);
CREATE VIEW tenants AS SELECT DISTINCT tenant FROM secrets;
GRANT SELECT ON secrets TO PUBLIC;
INSERT INTO secrets VALUES (1, 1), (2, 2);
INSERT INTO logs VALUES (1, 1);
"""
DECLARED = """
CREATE TABLE secrets (id int PRIMARY KEY, tenant bigint);
CREATE TABLE logs (id int, secret int CONSTRAINT logs_secret REFERENCES secrets, {extra} int);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secrets USING (true);
CREATE POLICY r ON secrets AS RESTRICTIVE USING (tenant = {tenant});
CREATE VIEW tenants AS SELECT DISTINCT tenant FROM secrets;
GRANT SELECT ON secrets TO PUBLIC;
"""
POLICY = "policy r on public.secrets: rows that it hides are visible"
FOREIGN_KEY = "ALTER TABLE public.logs ADD CONSTRAINT logs_secret"
VIEW = "view public.tenants: queries of it fail, and who was granted access has none"


@pytest.fixture
def secrets(new_database: Callable[..., str], tmp_path: Path) -> tuple[str, Path]:
    url, file = new_database("missing"), tmp_path / "schema.sql"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LIVE)
    file.write_text(DECLARED.format(extra="n", tenant=1))
    return url, file


def interrupt(url: str, file: Path, before: str) -> Project:
    """Apply until a statement that begins so, and give up there."""
    with Project(url, file, PLAIN) as project:
        plan = committed_one_by_one(project.plan())
        number = next(n for n, s in enumerate(plan.statements, 1) if s.sql.startswith(before))
        project.reporter = StopBefore(number)
        with pytest.raises(Stopped) as stopped:
            project.apply(plan, rehearse=False)
    project.error = stopped.value  # type: ignore[attr-defined]
    return project


def test_an_interrupted_run_ends_with_what_is_missing(secrets: tuple[str, Path]) -> None:
    project = interrupt(*secrets, "CREATE ")
    assert sorted(m.line for m in project.missing) == [POLICY, VIEW]
    notes = project.error.__notes__  # type: ignore[attr-defined]
    assert sorted(notes[1:]) == [f"missing  {POLICY}", f"missing  {VIEW}"]
    assert notes[0].endswith("statements were committed")


def test_a_run_that_dropped_nothing_misses_nothing(secrets: tuple[str, Path]) -> None:
    project = interrupt(*secrets, "DROP")
    assert project.missing == ()


def test_resuming_asks_for_no_approval_of_what_the_run_dropped(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert plan.continues == 1
        assert plan.blocked == ()
        assert sorted(m.line for m in plan.missing) == [POLICY, VIEW]
        assert f"missing since history 1 was interrupted: {POLICY}" in plan.notices
        restored = {c.object: (c.operation, c.detail) for c in plan.changes if not c.container}
        told = ("restored after the interrupted run (history 1)",)
        assert restored["public.tenants"] == ("replace", told)
        assert [c.detail for c in plan.changes if c.object == "r on public.secrets"] == [told]
        assert project.apply(plan).left == ()
        assert project.lost() == []
        assert project.plan().missing == ()


def test_other_files_give_back_what_was_in_force_unasked(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    file.write_text(DECLARED.format(extra="another", tenant=1))
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert plan.continues is None
        assert plan.blocked == ()
        assert [c.operation for c in plan.changes if c.object == "r on public.secrets"] == ["replace"]
        assert project.apply(plan).left == ()
        assert project.lost() == []


def test_a_change_of_somebody_else_does_not_make_it_ask_either(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("COMMENT ON TABLE logs IS 'somebody else'")
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert plan.continues is None
        assert plan.blocked == ()
        assert project.apply(plan).left == ()


def test_a_policy_that_is_another_than_before_is_asked_about(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    file.write_text(DECLARED.format(extra="n", tenant=2))
    with Project(url, file, PLAIN) as project:
        assert [h.consent for h in project.plan().blocked] == ["access-loss:r on public.secrets"]


def test_what_is_missing_is_not_forgotten_for_a_later_run_that_fails(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    file.write_text(DECLARED.format(extra="another", tenant=1))
    with Project(url, file, PLAIN) as project:
        plan = committed_one_by_one(project.plan())
        last = max(n for n, s in enumerate(plan.statements, 1) if s.object == "r on public.secrets")
        project.reporter = StopBefore(last)
        with pytest.raises(Stopped):
            project.apply(plan, rehearse=False)
        assert "policy r on public.secrets" in {m.name for m in project.missing}
    file.write_text(DECLARED.format(extra="third", tenant=1))
    with Project(url, file, PLAIN) as project:
        assert [run.outcome for run in project.history()] == ["failed", "failed"]
        assert "policy r on public.secrets" in {each.missing.name for each in project.lost()}
        plan = project.plan()
        assert plan.blocked == ()
        assert project.apply(plan).left == ()
        assert project.lost() == []


def test_safe_only_restores_what_the_interrupted_run_dropped(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    file.write_text(DECLARED.format(extra="another", tenant=1))
    with Project(url, file, PLAIN) as project:
        plan = project.plan(safe_only=True)
        assert not any(c.object == "r on public.secrets" for c in plan.left_out)
        assert project.apply(plan).left == ()
        assert project.lost() == []


def test_safe_only_refuses_to_leave_it_missing(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    file.write_text(DECLARED.format(extra="n", tenant=2))
    with Project(url, file, PLAIN) as project:
        with pytest.raises(RefusedError, match="--safe-only would leave out"):
            project.plan(safe_only=True)
        assert [m.line for m in project.missing] == [POLICY]


def test_rows_that_came_meanwhile_are_told(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    file.write_text(
        DECLARED.format(extra="n", tenant=1).replace(
            "REFERENCES secrets", "REFERENCES secrets ON DELETE CASCADE"
        )
    )
    project = interrupt(url, file, FOREIGN_KEY)
    assert "constraint logs_secret on public.logs: rows that refer to nothing are accepted" in {
        m.line for m in project.missing
    }
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO logs VALUES (2, 77)")
    with Project(url, file, PLAIN) as project:
        assert [h.consent for h in project.plan().blocked] == ["foreign-key:logs_secret on public.logs"]


def test_approvals_hold_for_what_is_left_of_the_run(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE old (a int); INSERT INTO old VALUES (1)")
    file.write_text(DECLARED.format(extra="n", tenant=1))
    with Project(url, file, PLAIN) as project:
        plan = committed_one_by_one(project.plan(["data-loss:public.old"]))
        last = len(plan.statements)
        order = sorted(plan.statements, key=lambda s: s.object == "public.old")
        plan = committed_one_by_one(replace(plan, statements=tuple(order)))
        project.reporter = StopBefore(last)
        with pytest.raises(Stopped):
            project.apply(plan, rehearse=False)
    with Project(url, file, PLAIN) as project:
        plan = project.plan()
        assert plan.continues == 1
        assert plan.blocked == ()
        assert project.apply(plan).left == ()


def test_a_journal_of_an_older_novaops_names_the_rebuilds(secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "ALTER TABLE novaops.journal_statement DROP COLUMN drops, DROP COLUMN restores;"
            "UPDATE novaops.version SET version = 1; UPDATE novaops.journal SET summary = summary - 'consents'"
        )
        connection.execute("UPDATE novaops.journal SET stamp = %s", [stamp(connection)])
    with Project(url, file, PLAIN) as project:
        assert sorted(each.missing.line for each in project.lost()) == [
            "policy r on public.secrets",
            "view public.tenants",
        ]
        plan = project.plan()
        assert (plan.continues, plan.blocked) == (1, ())
        assert project.apply(plan).left == ()


def test_pending_pre_migrations_do_not_make_it_ask(secrets: tuple[str, Path], tmp_path: Path) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    folder = tmp_path / "pre-migrations"
    folder.mkdir()
    (folder / "0001_more.sql").write_text("UPDATE logs SET id = id WHERE id = 1;")
    with Project(url, file, replace(PLAIN, pre_migrations=folder)) as project:
        plan = project.plan()
        assert plan.continues is None
        assert POLICY in [m.line for m in plan.missing]
        assert plan.blocked == ()
        allowed = [h.consent for m in plan.pre_migrations for h in m.hazards]
        assert project.apply(project.plan(allowed)).left == ()
        assert project.lost() == []


def test_what_is_taken_from_an_object_is_missing_as_well(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    url, file = new_database("taken"), tmp_path / "schema.sql"
    text = "CREATE TABLE t (id int PRIMARY KEY, a {type});CREATE PUBLICATION pub FOR TABLE t WHERE (a > 0);"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.format(type="int") + "INSERT INTO t VALUES (1, 1)")
    file.write_text(text.format(type="bigint"))
    project = interrupt(url, file, "ALTER TABLE")
    assert [m.line for m in project.missing] == [
        "publication relation public.t in publication pub: changes of the table are not published"
    ]
    with Project(url, file, PLAIN) as project:
        assert project.apply(project.plan()).left == ()
        assert project.lost() == []
