"""A new database: the schema files build it, and files with rows for every database run after that."""

from __future__ import annotations

import signal

import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.errors import TargetChangedError
from novaops.project.pre_migrations.migrations import Ran
from tests.integration.pre_migrations.conftest import USERS, Site
from tests.integration.pre_migrations.test_run import SLEEPING, killed_while

PROVIDERS = "CREATE TABLE providers (name text PRIMARY KEY);\n"
ROWS = "BEGIN;\nINSERT INTO providers VALUES ('a'), ('b');\nCOMMIT;\n"


def test_files_with_rows_run_once_after_the_schema_is_built(fresh: Site) -> None:
    fresh.file("0001_repair.sql", "UPDATE providers SET name = lower(name) WHERE name <> lower(name);")
    fresh.file("0002_providers.data.sql", ROWS)
    fresh.file("0003_repair.post.sql", "SELECT nowhere;")
    project = fresh.declare(PROVIDERS)
    made = project.plan()
    assert [(m.name, m.state) for m in made.pre_migrations] == [
        ("0001_repair.sql", "not needed"),
        ("0002_providers.data.sql", "pending"),
        ("0003_repair.post.sql", "not needed"),
    ]
    database = fresh.live.info.dbname
    assert made.notices[0] == (
        f"{database} is empty and {project.file} builds it: 2 pre-migrations are recorded as not needed, and not run"
    )
    outcome = project.apply(made)
    assert (outcome.pre_migrations, outcome.left) == (("0002_providers.data.sql",), ())
    assert fresh.value("SELECT string_agg(name, ',' ORDER BY name) FROM providers") == "a,b"
    assert fresh.ledger() == [
        ("0001_repair.sql", "pre", "not needed"),
        ("0002_providers.data.sql", "post", "applied"),
        ("0003_repair.post.sql", "post", "not needed"),
    ]
    again = fresh.declare(PROVIDERS)
    assert not again.plan().todo
    assert again.apply().pre_migrations == ()


def test_files_with_rows_run_on_databases_that_exist_too(site: Site) -> None:
    site.file("0001_providers.data.sql", ROWS)
    project = site.declare(USERS + PROVIDERS)
    assert project.apply(project.plan()).pre_migrations == ("0001_providers.data.sql",)
    assert site.value("SELECT count(*) FROM providers") == 2


def test_a_directive_runs_a_file_before_the_schema_of_a_new_database(fresh: Site) -> None:
    fresh.file(
        "0001_audit.sql",
        "-- novaops: run on new databases\nCREATE SCHEMA audit; CREATE TABLE audit.log (a int);",
    )
    fresh.file("0002_repair.sql", "SELECT nowhere;")
    project = fresh.declare(USERS + "CREATE VIEW log AS SELECT a FROM audit.log;\n")
    made = project.plan()
    assert [m.state for m in made.pre_migrations] == ["pending", "not needed"]
    assert project.apply(made).left == ()
    assert fresh.value("SELECT count(*) FROM log") == 0
    assert [row[2] for row in fresh.ledger()] == ["applied", "not needed"]


def test_after_an_error_the_next_apply_runs_the_files_with_rows(fresh: Site) -> None:
    path = fresh.file("0001_providers.data.sql", ROWS.replace("COMMIT", "SELECT 1 / 0;\nCOMMIT"))
    fresh.file("0002_repair.sql", "SELECT nowhere;")
    project = fresh.declare(PROVIDERS)
    with pytest.raises(DiagnosticsError, match="division by zero"):
        project.apply(project.plan())
    assert fresh.ledger() == [("0002_repair.sql", "pre", "not needed")]
    path.write_text(ROWS)
    again = fresh.declare(PROVIDERS)
    assert again.apply(again.plan()).pre_migrations == ("0001_providers.data.sql",)
    assert fresh.value("SELECT count(*) FROM providers") == 2


def test_run_builds_an_empty_database_from_files_alone(fresh: Site) -> None:
    fresh.file("0001_users.sql", USERS)
    fresh.file("0002_rows.sql", "INSERT INTO users VALUES (1, 'a');")
    project = fresh.declare(USERS)
    project.file = fresh.folder.parent / "none.sql"
    pending = project.migrations.pending()
    assert [f.state for f in pending.files] == ["pending", "pending"]
    assert project.migrations.run(pending) == Ran(("0001_users.sql", "0002_rows.sql"))
    assert fresh.value("SELECT email FROM users") == "a"


def test_run_leaves_an_empty_database_to_the_schema_file_and_says_so(fresh: Site) -> None:
    fresh.file("0001_a.sql", "SELECT nowhere;")
    project = fresh.declare(USERS)
    pending = project.migrations.pending()
    assert pending.notices == (
        f"{fresh.live.info.dbname} is empty and {project.file} builds it: 1 pre-migration is recorded as not needed,"
        " and not run",
    )
    assert project.migrations.run(pending) == Ran(not_needed=("0001_a.sql",))


def test_a_schema_file_that_declares_nothing_builds_nothing(fresh: Site) -> None:
    fresh.file("0001_users.sql", USERS)
    made = fresh.declare("-- nothing yet\n").plan()
    assert [m.state for m in made.pre_migrations] == ["pending"]
    assert {h.hazard for h in made.blocked} == {"data-loss"}, (
        "what the file builds, an empty schema file drops"
    )


def test_files_shown_as_not_needed_do_not_run_when_the_database_is_no_longer_new(fresh: Site) -> None:
    fresh.file("0001_wipe.sql", "DELETE FROM users;")
    project = fresh.declare(USERS)
    pending = project.migrations.pending()
    assert pending.blocked == ()
    fresh.live.execute(USERS + "INSERT INTO users VALUES (1, 'a')")
    with pytest.raises(TargetChangedError, match="nothing was run"):
        project.migrations.run(pending)
    assert fresh.value("SELECT count(*) FROM users") == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_apply_killed_among_the_files_is_completed_by_the_next(fresh: Site, how: signal.Signals) -> None:
    fresh.file("0001_repair.sql", "SELECT nowhere;")
    fresh.file("0002_providers.data.sql", ROWS)
    path = fresh.file(
        "0003_more.data.sql", "BEGIN; INSERT INTO providers VALUES ('c'); SELECT pg_sleep(60); COMMIT;"
    )
    project = fresh.declare(PROVIDERS)
    killed_while(fresh, how, SLEEPING, "project.apply()", project.file)
    assert [row[2] for row in fresh.ledger()] == ["not needed", "applied"]
    path.write_text(path.read_text().replace("pg_sleep(60)", "1"))
    outcome = project.apply(project.plan())
    assert (outcome.pre_migrations, outcome.left) == (("0003_more.data.sql",), ())
    assert fresh.value("SELECT string_agg(name, ',' ORDER BY name) FROM providers") == "a,b,c"
