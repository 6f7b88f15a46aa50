"""Hazards that pre-migrations repair, and what comes otherwise than it was predicted."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.planning.plan import Hazard
from tests.integration.pre_migrations.conftest import NOT_NULL, RENAME_AND_REPAIR, REPAIR, USERS, Site


def hazards(found: Iterable[Hazard]) -> list[str]:
    """By name, without those of the files."""
    return [h.hazard for h in found]


# -- hazards that a file repairs ----------------------------------------------------------------


def test_without_a_file_nulls_block(site: Site) -> None:
    made = site.declare(NOT_NULL).plan()
    assert hazards(made.blocked) == ["not-null"]


def test_a_hazard_on_a_table_that_a_file_writes_to_is_pending(site: Site) -> None:
    site.file("0001_repair.sql", REPAIR)
    project = site.declare(NOT_NULL)
    made = project.plan()
    assert made.blocked == ()
    assert [(h.hazard, h.affected) for h in made.pending_hazards] == [("not-null", 1)]
    assert project.apply(made).left == ()
    assert site.value("SELECT email FROM users WHERE id = 2") == "unknown"


def test_a_hazard_on_another_table_blocks_all_the_same(site: Site) -> None:
    site.live.execute("CREATE TABLE other (a int); INSERT INTO other VALUES (NULL)")
    site.file("0001_repair.sql", REPAIR)
    made = site.declare(NOT_NULL + "CREATE TABLE other (a int NOT NULL);").plan()
    assert hazards(made.blocked) == ["not-null"]
    assert "public.other" in made.blocked[0].object


@pytest.mark.parametrize(
    ("constraint", "consent", "repair"),
    [
        ("UNIQUE (email)", "unique", "UPDATE users SET email = id::text WHERE id = 4;"),
        ("CHECK (email <> 'a')", "check", "UPDATE users SET email = id::text WHERE email = 'a';"),
        (
            "FOREIGN KEY (email) REFERENCES known",
            "foreign-key",
            "UPDATE users SET email = NULL WHERE id > 0;",
        ),
    ],
)
def test_every_kind_of_refusal_can_be_repaired(
    site: Site, constraint: str, consent: str, repair: str
) -> None:
    known = "CREATE TABLE known (email text PRIMARY KEY);\n"
    site.live.execute(known + "INSERT INTO users VALUES (4, 'a')")
    declared = known + USERS.replace("email text", f"email text, CONSTRAINT c {constraint}")
    assert hazards(site.declare(declared).plan().blocked) == [consent]
    site.file("0001_repair.sql", repair)
    project = site.declare(declared)
    made = project.plan()
    assert hazards(made.pending_hazards) == [consent]
    assert project.apply(made).left == ()


NUMBERED = USERS + "CREATE INDEX numbers ON users ((email::int));"


def test_a_row_that_raises_an_error_can_be_repaired(site: Site) -> None:
    assert hazards(site.declare(NUMBERED).plan().blocked) == ["check"]
    site.file("0001_repair.sql", "UPDATE users SET email = id::text WHERE email = 'a';")
    project = site.declare(NUMBERED)
    made = project.plan()
    assert [h.message for h in made.pending_hazards] == [
        'a row raises an error: invalid input syntax for type integer: "a"'
    ]
    assert project.apply(made).left == ()


def test_a_row_that_still_raises_an_error_stops_with_4(site: Site) -> None:
    site.file("0001_nothing.sql", "UPDATE users SET email = 'b' WHERE id = 1;")
    project = site.declare(NUMBERED)
    with pytest.raises(RefusedError, match=r"check:public\.numbers"):
        project.apply()
    assert site.ledger() == [("0001_nothing.sql", "pre", "applied")]


def test_an_expression_over_a_column_that_the_file_makes_is_evaluated_when_it_is_there(site: Site) -> None:
    site.file(
        "0001_name.sql",
        "ALTER TABLE users ADD COLUMN name text; UPDATE users SET name = id::text WHERE id > 0;",
    )
    declared = USERS.replace("email text", "email text, name text") + "CREATE INDEX i ON users ((name::int));"
    project = site.declare(declared)
    made = project.plan()
    assert [h.message for h in made.pending_hazards] == ["rows would raise an error"]
    assert project.apply(made).left == ()


def test_a_block_is_taken_to_write_to_the_tables_that_it_names(site: Site) -> None:
    site.file(
        "0001_repair.sql", "DO $$ BEGIN IF EXISTS (SELECT FROM users) THEN " + REPAIR + " END IF; END $$;"
    )
    project = site.declare(NOT_NULL)
    made = project.plan()
    assert [h.consent for h in made.blocked] == ["behaviour:pre-migrations/0001_repair.sql:1"]
    assert hazards(made.pending_hazards) == ["not-null"]
    assert project.apply(made, ["behaviour:pre-migrations/0001_repair.sql:1"]).left == ()


def test_a_column_that_the_file_makes_is_counted_when_it_is_there(site: Site) -> None:
    site.file(
        "0001_half.sql", "ALTER TABLE users ADD COLUMN name text; UPDATE users SET name = email WHERE true;"
    )
    declared = USERS.replace("email text", "email text, name text NOT NULL")
    project = site.declare(declared)
    made = project.plan()
    assert [(h.hazard, h.affected) for h in made.pending_hazards] == [("not-null", None)]
    with pytest.raises(RefusedError) as refused:
        project.apply(made)
    assert "not-null:" in refused.value.message
    assert "0001_half.sql ran and is recorded; no statement of the plan was applied" in str(
        refused.value.detail
    )
    site.file("0002_rest.sql", "UPDATE users SET name = '' WHERE name IS NULL;")
    again = site.declare(declared)
    assert again.apply().pre_migrations == ("0002_rest.sql",)


def test_what_a_file_has_not_repaired_stops_with_4_and_says_what_has_run(site: Site) -> None:
    site.file("0001_nothing.sql", "UPDATE users SET email = 'x' WHERE id = 99;")
    project = site.declare(NOT_NULL)
    with pytest.raises(RefusedError) as refused:
        project.apply()
    assert refused.value.exit_code == 4
    assert "not-null:" in refused.value.message
    assert "0001_nothing.sql ran" in str(refused.value.detail)
    assert site.ledger() == [("0001_nothing.sql", "pre", "applied")]
    assert not site.value(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'email'"
    )
    # The same command says it again, now as a plain hazard.
    assert hazards(site.declare(NOT_NULL).plan().blocked) == ["not-null"]


def test_rows_that_a_file_puts_into_a_table_that_goes_stop_with_4(site: Site) -> None:
    site.live.execute("CREATE TABLE gone (a int)")
    site.file("0001_rows.sql", "INSERT INTO gone VALUES (1);")
    project = site.declare(USERS)
    made = project.plan()
    assert made.blocked == ()
    with pytest.raises(RefusedError, match=r"data-loss:public\.gone"):
        project.apply(made)
    assert site.value("SELECT count(*) FROM gone") == 1


# -- what was predicted, and what came ----------------------------------------------------------


def test_a_difference_from_the_prediction_stops_with_5_and_says_what_has_run(site: Site) -> None:
    # With rows it does something else than on a copy without any.
    block = "DO $$ BEGIN IF EXISTS (SELECT FROM users) THEN CREATE TABLE surprise (a int); END IF; END $$;"
    site.file("0001_block.sql", block)
    declared = USERS + "CREATE TABLE wanted (a int);"
    with pytest.raises(TargetChangedError) as changed:
        site.declare(declared).apply(allow=["behaviour"])
    assert changed.value.exit_code == 5
    assert "table public.surprise" in changed.value.message
    assert "0001_block.sql ran and is recorded; no statement of the plan was applied" in str(
        changed.value.detail
    )
    assert site.value("SELECT to_regclass('wanted')") is None
    # What is there now is where the next plan starts.
    assert site.declare(declared + "CREATE TABLE surprise (a int);").apply().left == ()


def test_a_file_that_fails_for_want_of_rows_is_said_and_apply_does_not_start(site: Site) -> None:
    site.file("0001_needs.sql", "SELECT 1 / count(*) FROM users;")
    project = site.declare(NOT_NULL)
    made = project.plan()
    (notice,) = [n for n in made.notices if "0001_needs.sql" in n]
    assert "failed on a copy without rows (division by zero)" in notice
    assert "novaops migrations run" in notice
    with pytest.raises(DiagnosticsError, match="division by zero") as failed:
        project.apply(made, ["all", "not-null"])
    assert "novaops migrations run" in str(failed.value.diagnostics[0].hint)
    assert not site.has_ledger()
    assert project.migrations.run(project.migrations.pending()).files == ("0001_needs.sql",)


def test_files_changed_since_the_plan_are_refused_with_5(site: Site) -> None:
    site.file("0001_repair.sql", REPAIR)
    project = site.declare(USERS)
    made = project.plan()
    site.file("0001_repair.sql", REPAIR + "-- edited\n")
    with pytest.raises(TargetChangedError, match="not those of the plan"):
        project.apply(made)
    assert not site.has_ledger()


def test_one_of_the_files_run_by_somebody_else_is_refused_with_5(site: Site) -> None:
    site.file("0001_repair.sql", REPAIR)
    other = site.declare(USERS)
    first = other.plan()
    site.file("0002_more.sql", "CREATE TABLE more (a int);")
    project = site.declare(NOT_NULL + "CREATE TABLE more (a int);")
    made = project.plan()
    (site.folder / "0002_more.sql").rename(site.folder / "0002_more.aside")
    other.apply(first)
    (site.folder / "0002_more.aside").rename(site.folder / "0002_more.sql")
    with pytest.raises(TargetChangedError, match="not those of the plan"):
        project.apply(made)


def test_an_apply_that_was_killed_when_the_files_had_run_is_gone_on_with(site: Site) -> None:
    site.file(
        "0001_rename.sql",
        RENAME_AND_REPAIR,
    )
    declared = NOT_NULL.replace("email", "address")
    made = site.declare(declared).plan()
    before = site.declare(declared)
    before.migrations.run(before.migrations.pending())  # as far as the killed one came
    outcome = site.declare(declared).apply(made)
    assert (outcome.pre_migrations, outcome.left) == ((), ())
    assert outcome.statements == len(made.statements) > 0


def test_an_apply_that_was_cut_off_among_its_statements_is_gone_on_with_too(site: Site) -> None:
    site.file("0001_rename.sql", RENAME_AND_REPAIR)
    indexes = "CREATE UNIQUE INDEX a ON users (id);\nCREATE UNIQUE INDEX b ON users (address);\n"
    declared = USERS.replace("email", "address") + indexes
    made = site.declare(declared).plan()
    site.live.execute("INSERT INTO users VALUES (3, 'a')")
    with pytest.raises(NovaopsError, match="could not create unique index"):
        site.declare(declared).apply(made, ["unique"])
    assert site.value("SELECT to_regclass('a') IS NOT NULL AND to_regclass('b') IS NULL")
    site.live.execute("DELETE FROM users WHERE id = 3")
    outcome = site.declare(declared).apply(made, ["unique"])
    assert (outcome.pre_migrations, outcome.statements, len(made.statements)) == ((), 1, 2)
    assert site.value("SELECT count(*) FROM users WHERE address = 'unknown'") == 1


def test_what_was_pending_is_counted_then_too(site: Site) -> None:
    site.file("0001_nothing.sql", "UPDATE users SET email = 'x' WHERE id = 99;")
    made = site.declare(NOT_NULL).plan()
    before = site.declare(NOT_NULL)
    before.migrations.run(before.migrations.pending())
    with pytest.raises(RefusedError, match="not-null:") as refused:
        site.declare(NOT_NULL).apply(made)
    assert "0001_nothing.sql ran and is recorded" in str(refused.value.detail)


def test_a_statement_that_stays_out_of_the_copy_is_named(site: Site) -> None:
    site.file("0001_vacuum.sql", "-- novaops: no-transaction\nVACUUM users;")
    project = site.declare(USERS)
    made = project.plan()
    assert [n for n in made.notices if "VACUUM was not run on the copy" in n]
    assert project.apply(made).pre_migrations == ("0001_vacuum.sql",)


def test_a_plan_does_not_try_what_acts_beyond_the_database(site: Site) -> None:
    role = f"tried_{site.live.info.dbname.rpartition('_')[2]}"
    with psycopg.connect(site.url, application_name="victim") as victim:
        site.file(
            "0001_beyond.sql",
            f"CREATE ROLE {role};\n"
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim';\n"
            "SELECT pg_sleep(0);",
        )
        made = site.declare(USERS).plan()
        assert [n.rpartition("0001_beyond.sql:")[2] for n in made.notices] == [
            "1: CREATE ROLE was not run on the copy",
            "2: SELECT was not run on the copy",
        ]
        assert [h.object.rpartition(":")[2] for h in made.blocked] == ["1", "2"]
        assert victim.execute("SELECT 1").fetchone() == (1,)
    assert site.value(f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'") == 0


# -- what is not the database's alone -----------------------------------------------------------


def test_a_copy_commits_nothing_to_what_databases_share(site: Site) -> None:
    """A block does not tell beforehand that it makes a role; when it does, it is undone and left out."""
    text = "DO $$ BEGIN EXECUTE 'CREATE ROLE made_on_a_copy'; END $$;\n"
    site.file("0001_repair.sql", REPAIR + text + "ALTER TABLE users ADD COLUMN b int;\n")
    made = site.declare(USERS.replace("email text", "email text, b int")).plan()
    assert site.value("SELECT count(*) FROM pg_roles WHERE rolname = 'made_on_a_copy'") == 0
    assert any("0001_repair.sql:2: DO was not run on the copy" in notice for notice in made.notices)
    assert made.statements == ()
