"""What was applied is recorded in the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from novaops.errors import NovaopsError
from novaops.project import Project
from tests.integration.journal.conftest import (
    DECLARED,
    GRANTS_ASIDE,
    LIVE,
    PLAIN,
    Connection,
    value,
)


@pytest.fixture
def role(live: Connection) -> Iterator[str]:
    """A role that may log in and owns nothing."""
    name = f"applier_{live.info.dbname.rpartition('_')[2]}"
    live.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
    yield name
    live.execute(f"DROP OWNED BY {name}")
    live.execute(f"DROP ROLE {name}")


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
