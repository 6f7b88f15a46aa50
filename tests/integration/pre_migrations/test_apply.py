"""An apply runs the pending files first, compares what they leave with the prediction, and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import psycopg
import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.planning.plan import Hazard
from tests.integration.pre_migrations.conftest import ROWS, USERS, Owner, Site

NOT_NULL = USERS.replace("email text", "email text NOT NULL")
REPAIR = "UPDATE users SET email = 'unknown' WHERE email IS NULL;\n"
RENAME_AND_REPAIR = "ALTER TABLE users RENAME COLUMN email TO address;\n" + REPAIR.replace("email", "address")


def hazards(found: Iterable[Hazard]) -> list[str]:
    """By name, without those of the files."""
    return [h.hazard for h in found]


def test_files_run_in_the_order_of_their_names_before_the_statements(site: Site) -> None:
    site.file("0002_b.sql", "INSERT INTO log VALUES ('second');")
    site.file("0001_a.sql", "CREATE TABLE log (what text); INSERT INTO log VALUES ('first');")
    project = site.declare(USERS + "CREATE TABLE log (what text, more int);")
    outcome = project.apply()
    assert outcome.pre_migrations == ("0001_a.sql", "0002_b.sql")
    assert (outcome.statements, outcome.left) == (1, ())
    assert [row[0] for row in site.live.execute("SELECT what FROM log")] == ["first", "second"]
    assert site.ledger() == [("0001_a.sql", "pre", "applied"), ("0002_b.sql", "pre", "applied")]


def test_a_file_runs_once(site: Site) -> None:
    site.file("0001_rename.sql", "ALTER TABLE users RENAME COLUMN email TO address;")
    declared = USERS.replace("email", "address")
    assert site.declare(declared).apply().pre_migrations == ("0001_rename.sql",)
    project = site.declare(declared)
    assert project.plan().pre_migrations == ()
    assert project.apply().pre_migrations == ()
    assert site.value("SELECT count(*) FROM users WHERE address = 'a'") == 1


def test_rename_and_backfill_is_run_once(site: Site) -> None:
    site.live.execute("CREATE TABLE entities (old_name text); INSERT INTO entities VALUES ('a'), (NULL)")
    site.file(
        "001_rename_old_col_to_new.sql",
        "ALTER TABLE entities RENAME COLUMN old_name TO new_name;\n"
        "UPDATE entities SET new_name = COALESCE(new_name, 'default') WHERE new_name IS NULL;\n",
    )
    declared = USERS + "CREATE TABLE entities (new_name text NOT NULL);"
    assert site.declare(declared).apply().left == ()
    again = site.declare(declared).apply()
    assert (again.pre_migrations, again.statements) == ((), 0)
    rows = site.live.execute("SELECT new_name FROM entities ORDER BY 1").fetchall()
    assert rows == [("a",), ("default",)]


def test_a_plan_starts_from_what_the_files_will_leave_and_changes_nothing(site: Site) -> None:
    site.file("0001_rename.sql", "ALTER TABLE users RENAME COLUMN email TO address;")
    made = site.declare(USERS.replace("email text", "address text NOT NULL DEFAULT ''")).plan()
    assert [
        s.sql
        for s in made.statements
        if "RENAME" in s.sql or "COLUMN email" in s.sql or "ADD COLUMN" in s.sql
    ] == []
    assert any("address" in s.sql for s in made.statements)
    assert [(m.name, m.phase, m.state) for m in made.pre_migrations] == [
        ("0001_rename.sql", "pre", "pending")
    ]
    assert site.value("SELECT count(email) FROM users") == 1
    assert not site.has_ledger()


def test_owner_and_grants_of_what_a_file_changes_are_those_of_the_live_object(site: Site) -> None:
    role = f"keeper_{site.live.info.dbname.rpartition('_')[2]}"
    site.live.execute(
        f"CREATE ROLE {role}; GRANT SELECT ON users TO {role}; ALTER TABLE users OWNER TO {role}"
    )
    try:
        site.file("0001_rename.sql", "ALTER TABLE users RENAME COLUMN email TO address;")
        made = site.declare(USERS.replace("email", "address"), owners="managed", privileges="additive").plan()
        owners = [d for c in made.changes for d in c.detail if "owner" in d]
        assert any(role in text for text in owners)  # the copy belongs to who made it, the table does not
        project = site.declare(USERS.replace("email", "address"), privileges="additive")
        assert project.apply().left == ()
        assert site.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'users'") == role
    finally:
        site.live.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_without_a_folder_nothing_is_looked_for(site: Site) -> None:
    made = site.declare(USERS).plan()
    assert (made.pre_migrations, made.statements, made.notices) == ((), (), ())


def test_a_project_that_names_no_folder_says_nothing_of_the_ledger(site: Site) -> None:
    site.file("0001_repair.sql", REPAIR)
    project = site.declare(USERS)
    project.apply()
    project.options = replace(project.options, pre_migrations=None)
    assert project.plan().notices == ()


def test_files_alone_are_something_to_do(site: Site) -> None:
    site.file("0001_repair.sql", REPAIR)
    project = site.declare(USERS)
    made = project.plan()
    assert made.todo
    assert made.statements == ()
    assert project.apply(made).pre_migrations == ("0001_repair.sql",)
    assert site.value("SELECT count(*) FROM users WHERE email = 'unknown'") == 1


def test_post_files_run_after_the_statements(site: Site) -> None:
    site.file("0001_fill.post.sql", "UPDATE users SET name = email WHERE name IS NULL AND email IS NOT NULL;")
    outcome = site.declare(USERS.replace("email text", "email text, name text")).apply()
    assert (outcome.pre_migrations, outcome.left) == (("0001_fill.post.sql",), ())
    assert site.value("SELECT name FROM users WHERE id = 1") == "a"
    assert site.ledger() == [("0001_fill.post.sql", "post", "applied")]


def test_post_files_run_although_nothing_else_is_left_to_do(site: Site) -> None:
    site.file("0001_fill.post.sql", REPAIR)
    assert site.declare(USERS).apply().pre_migrations == ("0001_fill.post.sql",)


def test_what_an_apply_left_to_the_second_phase_is_done_by_the_next(site: Site) -> None:
    bad = site.file("0001_fill.post.sql", "UPDATE users SET name = nowhere WHERE true;")
    declared = USERS.replace("email text", "email text, name text")
    with pytest.raises(DiagnosticsError, match="nowhere"):
        site.declare(declared).apply()
    assert (
        site.value(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'name'"
        )
        == 1
    )
    assert site.ledger() == []
    bad.write_text("UPDATE users SET name = email WHERE true;")
    outcome = site.declare(declared).apply()
    assert (outcome.statements, outcome.pre_migrations) == (0, ("0001_fill.post.sql",))


def test_a_statement_that_fails_after_a_file_ran_says_so(site: Site) -> None:
    site.file("0001_rows.sql", "INSERT INTO users VALUES (3, 'a b');")
    site.live.execute(
        "CREATE FUNCTION plain(a text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF a LIKE '% %' THEN RAISE 'not plain'; END IF; RETURN true; END$$"
    )
    body = site.value("SELECT pg_get_functiondef('plain(text)'::regprocedure)")
    declared = USERS.replace("email text", "email text, CHECK (plain(email))") + f"{body};"
    with pytest.raises(NovaopsError, match="not plain") as failed:
        site.declare(declared).apply()
    assert "before that, 0001_rows.sql ran and is recorded" in str(failed.value.detail)


# -- where there is no database of one's own to make --------------------------------------------------


def test_a_plain_owner_with_an_empty_database_for_a_shadow(
    site: Site, owner: Owner, new_database: Callable[..., str]
) -> None:
    shadow = new_database("empty")
    with psycopg.connect(shadow, autocommit=True) as connection:
        connection.execute(f"GRANT CREATE ON DATABASE {connection.info.dbname} TO {owner.name}")
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {owner.name}")
        site.file("0001_rename.sql", RENAME_AND_REPAIR)
        project = site.declare(
            NOT_NULL.replace("email", "address"), shadow=owner.url(shadow), privileges="ignore"
        )
        outcome = project.apply()
        assert (outcome.pre_migrations, outcome.left) == (("0001_rename.sql",), ())
        assert connection.execute("SELECT FROM pg_class WHERE relname = 'users'").rowcount == 0
        connection.execute(f"DROP OWNED BY {owner.name}")


def test_where_no_copy_can_be_made_it_is_said_and_apply_does_not_start(site: Site, owner: Owner) -> None:
    site.live.execute(f"ALTER ROLE {owner.name} CREATEDB")
    site.live.execute(
        "CREATE MATERIALIZED VIEW m AS SELECT 1 / count(*) AS share FROM users"
    )  # a copy has no rows
    site.live.execute(f"ALTER MATERIALIZED VIEW m OWNER TO {owner.name}")
    site.file("0001_rename.sql", RENAME_AND_REPAIR)
    declared = NOT_NULL.replace("email", "address")
    project = site.declare(declared)
    made = project.plan()
    (notice,) = [n for n in made.notices if "on a copy" in n]
    assert "could not be run on a copy (division by zero" in notice
    assert "apply does not start; novaops migrations run" in notice
    with pytest.raises(NovaopsError, match="could not be told; nothing was applied") as refused:
        project.apply(made, ["all"])
    assert "novaops migrations run" in str(refused.value.hint)
    assert not site.has_ledger()
    assert project.migrations.run(project.migrations.pending()).files == ("0001_rename.sql",)
    assert site.declare(declared).apply(allow=["all"], rehearse=False).left == ()


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


# -- a fresh database ---------------------------------------------------------------------------


def test_in_a_fresh_database_files_are_not_needed(fresh: Site) -> None:
    fresh.file("0001_rename.sql", "ALTER TABLE users RENAME COLUMN email TO address;")
    fresh.file("0002_wipe.post.sql", "DELETE FROM users;")
    project = fresh.declare(USERS)
    made = project.plan()
    assert {m.state for m in made.pre_migrations} == {"not needed"}
    assert made.blocked == ()
    outcome = project.apply(made)
    assert (outcome.pre_migrations, outcome.left) == ((), ())
    assert {row[2] for row in fresh.ledger()} == {"not needed"}
    fresh.live.execute(ROWS)
    again = fresh.declare(USERS).plan()
    assert (again.pre_migrations, again.statements) == ((), ())


@pytest.mark.extension("vector")
def test_schemas_and_extensions_alone_do_not_make_a_database_old(fresh: Site) -> None:
    fresh.live.execute("CREATE SCHEMA shop; CREATE EXTENSION vector")
    fresh.file("0001_rename.sql", "ALTER TABLE users RENAME COLUMN email TO address;")
    made = fresh.declare("CREATE SCHEMA shop;\n" + USERS).plan()
    assert [m.state for m in made.pre_migrations] == ["not needed"]


def test_a_database_with_a_table_of_another_schema_is_not_fresh(fresh: Site) -> None:
    fresh.live.execute("CREATE SCHEMA other; CREATE TABLE other.t (a int)")
    fresh.file("0001_repair.sql", "CREATE TABLE made (a int);")
    assert [m.state for m in fresh.declare(USERS).plan().pre_migrations] == ["pending"]


# -- edited and missing files -------------------------------------------------------------------


def test_an_edited_file_that_has_run_is_an_error_with_both_checksums(site: Site) -> None:
    site.file("0001_repair.sql", REPAIR)
    site.declare(USERS).apply()
    before = site.value("SELECT checksum FROM novaops.migrations")
    site.file("0001_repair.sql", REPAIR + "-- edited\n")
    project = site.declare(USERS)
    with pytest.raises(NovaopsError, match=r"edited since it ran: 0001_repair\.sql") as edited:
        project.plan()
    detail, hint = str(edited.value.detail), str(edited.value.hint)
    assert before in detail
    assert {s.migration.checksum for s in project.migrations.listed() if s.migration} < set(detail.split())
    assert "new file" in hint
    assert "novaops migrations accept 0001_repair.sql" in hint
    project.migrations.accept("0001_repair.sql")
    assert project.plan().pre_migrations == ()


def test_a_file_that_has_run_and_is_gone_is_a_notice(site: Site) -> None:
    site.file("0001_repair.sql", REPAIR).rename(site.file("0001_repair.sql", REPAIR))
    site.declare(USERS).apply()
    (site.folder / "0001_repair.sql").unlink()
    made = site.declare(USERS).plan()
    assert made.notices == ("pre-migration 0001_repair.sql has run here and is not in the folder any more",)


def test_a_late_file_is_a_notice(site: Site) -> None:
    site.file("0002_repair.sql", REPAIR)
    site.declare(USERS).apply()
    site.file("0001_late.sql", "CREATE TABLE late (a int);")
    made = site.declare(USERS + "CREATE TABLE late (a int);").plan()
    assert (
        "pre-migration 0001_late.sql is pending although 0002_repair.sql, which comes after it, has run"
        in made.notices
    )
