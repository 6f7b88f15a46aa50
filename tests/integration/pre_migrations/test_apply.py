"""An apply runs the pending files first, compares what they leave with the prediction, and goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError
from tests.integration.pre_migrations.conftest import (
    NOT_NULL,
    RENAME_AND_REPAIR,
    REPAIR,
    ROWS,
    USERS,
    Owner,
    Site,
)


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
