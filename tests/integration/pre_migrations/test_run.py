"""One file: its transaction, its errors, its row in the ledger, and what is left of it for the next."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from novaops.db.advisory_lock import advisory_lock
from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError, RefusedError, UsageError
from novaops.project import Project
from novaops.project.pre_migrations.migrations import Ran
from tests.integration.pre_migrations.conftest import USERS, Site

OUTSIDE = "-- novaops: no-transaction\n"


def run(project: Project, *allow: str) -> Ran:
    migrations = project.migrations
    return migrations.run(migrations.pending(allow))


def failed(project: Project, *allow: str) -> DiagnosticsError:
    with pytest.raises(DiagnosticsError) as error:
        run(project, *allow)
    return error.value


def states(project: Project) -> list[tuple[str, str]]:
    return [(s.name, s.state.value) for s in project.migrations.listed()]


# -- a transaction of its own ---------------------------------------------------------------------


def test_the_first_error_stops_with_file_line_column_and_what_had_run(site: Site) -> None:
    site.file("0001_good.sql", "CREATE TABLE made (a int);")
    path = site.file("0002_bad.sql", "INSERT INTO made VALUES (1);\n\nSELECT 1,\n  nowhere FROM made;\n")
    site.file("0003_never.sql", "CREATE TABLE never (a int);")
    project = site.declare(USERS)
    error = failed(project)
    (found,) = error.diagnostics
    assert (found.source.file, found.source.line, found.source.column) == (str(path), 4, 3)
    assert (found.code, found.text) == ("42703", "  nowhere FROM made;")
    assert "all of 0002_bad.sql was rolled back" in found.notes
    assert error.detail == "0001_good.sql ran and is recorded; nothing else was done"
    assert site.value("SELECT count(*) FROM made") == 0
    assert site.ledger() == [("0001_good.sql", "pre", "applied")]
    assert states(project)[1:] == [("0002_bad.sql", "pending"), ("0003_never.sql", "pending")]


def test_a_file_with_begin_and_commit_is_one_transaction_with_its_ledger_row(site: Site) -> None:
    text = "-- about\n\\set ON_ERROR_STOP on\nSET statement_timeout = '1min';\nBEGIN;\n{}COMMIT;\n"
    insert = "INSERT INTO users VALUES (3, current_setting('statement_timeout'));\n"
    path = site.file("0001_rows.sql", text.format(insert + "SELECT nowhere;\n"))
    project = site.declare(USERS)
    (found,) = failed(project).diagnostics
    assert (found.source.line, found.code) == (6, "42703")
    assert site.value("SELECT count(*) FROM users") == 2
    assert site.ledger() == []
    path.write_text(text.format(insert))
    assert run(project).files == ("0001_rows.sql",)
    assert site.value("SELECT email FROM users WHERE id = 3") == "1min"
    assert site.value("SELECT statements_done FROM novaops.migrations") == 2
    assert (
        site.value("SELECT count(*) FROM users u, novaops.migrations m WHERE u.xmin = m.xmin AND id = 3") == 1
    )


def test_an_error_inside_a_block_tells_its_context(site: Site) -> None:
    site.file(
        "0001_block.sql",
        "SELECT 1;\nDO $$\nBEGIN\n  RAISE EXCEPTION 'no %', 'way' USING HINT = 'turn';\nEND $$;",
    )
    (found,) = failed(site.declare(USERS), "behaviour").diagnostics
    assert (found.source.line, found.message, found.hint) == (2, "no way", "turn")
    assert any("line 3 at RAISE" in note for note in found.notes)


def test_what_may_hold_a_password_is_not_quoted(site: Site) -> None:
    site.file("0001_role.sql", "CREATE ROLE somebody PASSWORD 'hush' NONSENSE;")
    (found,) = failed(site.declare(USERS), "behaviour").diagnostics
    assert found.text is None
    assert "hush" not in str(found)


def test_what_fails_at_the_end_of_the_transaction_is_told_too(site: Site) -> None:
    site.file(
        "0001_deferred.sql",
        "CREATE TABLE a (b bigint REFERENCES users DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO a VALUES (99);",
    )
    (found,) = failed(site.declare(USERS)).diagnostics
    assert (found.source.line, found.code) == (2, "23503")
    assert site.value("SELECT to_regclass('a')") is None
    assert site.ledger() == []


def test_what_a_file_sets_does_not_leak(site: Site) -> None:
    database = site.live.info.dbname
    site.live.execute(f"CREATE SCHEMA elsewhere; ALTER DATABASE {database} SET statement_timeout = '1h'")
    site.live.execute(
        f"CREATE ROLE guest_{database}; GRANT CREATE, USAGE ON SCHEMA elsewhere TO guest_{database}"
    )
    try:
        site.file(
            "0001_sets.sql",
            f"SET search_path = elsewhere; SET ROLE guest_{database}; CREATE TEMPORARY TABLE users (a int);"
            "CREATE TABLE here (a int);",
        )
        site.file(
            "0002_sees.sql",
            "CREATE TABLE seen AS SELECT current_user AS who, current_setting('search_path') AS path, (SELECT count(*) FROM users) AS users, current_setting('statement_timeout') AS t;",
        )
        run(site.declare(USERS), "behaviour")
        assert site.value("SELECT to_regclass('elsewhere.here')") is not None
        row = site.live.execute("SELECT who, path, users, t FROM seen").fetchone()
        assert row == (site.live.info.user, '"$user", public', 2, "0")
        assert (
            site.value("SELECT applied_by FROM novaops.migrations WHERE name = '0001_sets.sql'")
            == site.live.info.user
        )
    finally:
        site.live.execute(f"DROP OWNED BY guest_{database}; DROP ROLE guest_{database}")


def test_a_lock_that_is_not_to_be_had_is_waited_for_in_turns(site: Site) -> None:
    site.file("0001_alter.sql", "ALTER TABLE users ADD COLUMN name text;")
    project = site.declare(USERS)
    pending = project.migrations.pending()
    with psycopg.connect(site.url) as other:
        other.execute("SELECT FROM users")
        with pytest.raises(DiagnosticsError, match="lock timeout"):
            project.migrations.run(pending, lock_timeout=timedelta(milliseconds=20))
    assert site.ledger() == []
    assert project.migrations.run(pending).files == ("0001_alter.sql",)


def test_the_ledger_holds_checksum_time_and_who(site: Site) -> None:
    site.file("0001_a.sql", "SELECT 1;")
    project = site.declare(USERS)
    run(project)
    (standing,) = project.migrations.listed()
    assert standing.entry is not None
    assert standing.migration is not None
    assert standing.entry.checksum == standing.migration.checksum
    assert standing.entry.finished_at is not None
    assert standing.entry.started_at <= standing.entry.finished_at
    assert standing.entry.applied_by == site.live.info.user


def test_the_ledger_is_in_no_plan(site: Site) -> None:
    site.file("0001_a.sql", "SELECT 1;")
    project = site.declare(USERS, scope="database")
    run(project)
    made = project.plan()
    assert (made.statements, made.skipped, made.unmanaged) == ((), (), ())
    assert "novaops.migrations" not in project.dump()


# -- outside of a transaction ---------------------------------------------------------------------


def test_a_file_outside_of_transactions_may_build_concurrently(site: Site) -> None:
    site.file("0001_index.sql", OUTSIDE + "CREATE INDEX CONCURRENTLY i ON users (email);\nVACUUM users;")
    project = site.declare(USERS + "CREATE INDEX i ON users (email);")
    assert project.apply().left == ()
    assert site.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")


def test_in_a_transaction_it_may_not(site: Site) -> None:
    site.file("0001_index.sql", "CREATE INDEX CONCURRENTLY i ON users (email);")
    (found,) = failed(site.declare(USERS)).diagnostics
    assert found.code == "25001"


def test_after_an_error_the_next_run_goes_on_with_the_statement_that_failed(site: Site) -> None:
    site.file(
        "0001_steps.sql",
        OUTSIDE
        + "SET search_path = elsewhere, public;\nCREATE TABLE one (a int);\nSELECT count(*) FROM later;\n"
        "CREATE TABLE two (a int);",
    )
    site.live.execute("CREATE SCHEMA elsewhere")
    project = site.declare(USERS)
    (found,) = failed(project).diagnostics
    assert found.source.line == 4
    assert any("2 of its 4 statements are committed" in note for note in found.notes)
    assert states(project) == [("0001_steps.sql", "interrupted")]
    assert any("2 of 4 statements are done" in n for n in project.migrations.pending().notices)
    site.live.execute("CREATE TABLE later (a int)")
    assert run(project).files == ("0001_steps.sql",)
    assert states(project) == [("0001_steps.sql", "applied")]
    # The settings of its first part hold for the second.
    assert site.value("SELECT to_regclass('elsewhere.two')") is not None


def test_outside_of_transactions_the_ledger_is_written_by_who_runs_novaops(site: Site) -> None:
    name = f"guest_{site.live.info.dbname.rpartition('_')[2]}"
    site.live.execute(f"CREATE ROLE {name}; GRANT CREATE ON SCHEMA public TO {name}")
    try:
        site.file(
            "0001.sql", OUTSIDE + f"SET ROLE {name};\nCREATE TABLE one (a int);\nCREATE TABLE two (a int);"
        )
        run(site.declare(USERS))
        assert site.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'two'") == name
        assert site.value("SELECT applied_by FROM novaops.migrations") == site.live.info.user
    finally:
        site.live.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_file_that_was_begun_and_then_edited_is_an_error(site: Site) -> None:
    site.file("0001_steps.sql", OUTSIDE + "CREATE TABLE one (a int);\nSELECT 1/0;")
    project = site.declare(USERS)
    failed(project)
    site.file("0001_steps.sql", OUTSIDE + "CREATE TABLE one (a int);")
    with pytest.raises(NovaopsError, match="edited since it ran"):
        project.migrations.pending()
    assert project.migrations.accept("0001_steps.sql").state.value == "edited"
    assert states(project) == [("0001_steps.sql", "applied")]


# -- killed ---------------------------------------------------------------------------------------


RUN = "project.migrations.run(project.migrations.pending(['all']))"


def killed_while(
    site: Site, how: signal.Signals, seen: str, call: str = RUN, file: str | Path = "none.sql"
) -> None:
    """Start the run in a process of its own and kill it as soon as the query `seen` is true."""
    program = textwrap.dedent(f"""\
        import signal
        from pathlib import Path
        from novaops.project import Options, Project
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
        options = Options(ignore_file=None, pre_migrations=Path({str(site.folder)!r}))
        with Project({site.url!r}, {str(file)!r}, options) as project:
            {call}
    """)
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                if site.value(seen):
                    break
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(how)
            assert process.wait(30) != 0
        finally:
            process.kill()
    sleeping = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid() AND datname = current_database()"
    site.live.execute(sleeping, ["%pg_sleep%"])


SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_a_file_what_committed_is_in_the_ledger_and_the_rest_is_not(
    site: Site, how: signal.Signals
) -> None:
    site.file("0001_one.sql", "CREATE TABLE one (a int);")
    path = site.file("0002_two.sql", "CREATE TABLE two (a int); SELECT pg_sleep(60);")
    killed_while(site, how, SLEEPING)
    assert site.ledger() == [("0001_one.sql", "pre", "applied")]
    assert site.value("SELECT to_regclass('two')") is None
    # It never ran, so it may be edited.
    path.write_text("CREATE TABLE two (a int);")
    assert run(site.declare(USERS)).files == ("0002_two.sql",)


def test_killed_outside_of_a_transaction_it_is_recognised_and_gone_on_with(site: Site) -> None:
    site.live.execute("CREATE TABLE naps (seconds int); INSERT INTO naps VALUES (60)")
    site.file(
        "0001_steps.sql",
        OUTSIDE
        + "CREATE TABLE one (a int);\nSELECT pg_sleep(60) FROM naps WHERE seconds = 60;\nCREATE TABLE two (a int);",
    )
    killed_while(site, signal.SIGKILL, SLEEPING)
    assert site.ledger() == [("0001_steps.sql", "pre", "started")]
    site.live.execute("UPDATE naps SET seconds = 0")
    project = site.declare(
        USERS + "CREATE TABLE one (a int); CREATE TABLE two (a int); CREATE TABLE naps (seconds int);"
    )
    made = project.plan()
    assert [m.state for m in made.pre_migrations] == ["interrupted"]
    assert any("did not finish: 1 of 3 statements is done" in n for n in made.notices)
    assert project.apply(made, ["behaviour"]).left == ()
    assert states(project) == [("0001_steps.sql", "applied")]


# -- consent, locks, roles ------------------------------------------------------------------------


def test_destructive_statements_need_consent_by_file_and_line(site: Site) -> None:
    site.file("0003_fix.sql", "SELECT 1;\nDELETE FROM users;\n")
    project = site.declare(USERS)
    made = project.plan()
    assert [(h.consent, h.allowed) for h in made.blocked] == [
        ("data-loss:pre-migrations/0003_fix.sql:2", False)
    ]
    with pytest.raises(RefusedError, match=r"data-loss:pre-migrations/0003_fix\.sql:2; nothing was"):
        project.apply(made)
    with pytest.raises(RefusedError, match="nothing was run"):
        run(project, "data-loss:pre-migrations/0003_fix.sql:1")
    assert site.value("SELECT count(*) FROM users") == 2
    assert project.apply(made, ["data-loss:pre-migrations/0003_fix.sql:2"]).pre_migrations == (
        "0003_fix.sql",
    )
    assert site.value("SELECT count(*) FROM users") == 0


def test_a_function_is_judged_by_its_volatility(site: Site) -> None:
    site.live.execute("CREATE FUNCTION pure(a text) RETURNS text LANGUAGE sql STABLE AS 'SELECT a'")
    site.live.execute("CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'DELETE FROM users'")
    site.live.execute("CREATE FUNCTION public.lower(a int) RETURNS void LANGUAGE sql AS 'DELETE FROM users'")
    site.file("0001.sql", "SELECT btrim(pure(email)), jsonb_build_object('a', 1), nextval('s') FROM users;")
    site.file("0002.sql", "SELECT wipe();\nSELECT lower(1);\nSELECT unheard_of();")
    made = site.declare(USERS).migrations.pending()
    assert [(h.consent, h.message) for h in made.blocked] == [
        ("behaviour:pre-migrations/0002.sql:1", "calls wipe(), which may change anything"),
        ("behaviour:pre-migrations/0002.sql:2", "calls lower(), which may change anything"),
        ("behaviour:pre-migrations/0002.sql:3", "calls unheard_of(), which may change anything"),
    ]


def test_one_novaops_at_a_time(site: Site) -> None:
    site.file("0001_a.sql", "SELECT 1;")
    project = site.declare(USERS)
    pending = project.migrations.pending()
    with psycopg.connect(site.url, autocommit=True) as other, advisory_lock(other):
        with pytest.raises(NovaopsError, match="another novaops is changing"):
            project.migrations.run(pending)
        with pytest.raises(NovaopsError, match="another novaops is changing"):
            project.migrations.accept("0001_a.sql")
    assert not site.has_ledger()


def test_a_role_that_may_not_make_the_schema_is_told_the_grant(site: Site) -> None:
    name = f"plain_{site.live.info.dbname.rpartition('_')[2]}"
    site.live.execute(f"CREATE ROLE {name}")
    site.file("0001_a.sql", "SELECT 1;")
    project = site.declare(USERS)
    project.connection.execute(f"SET ROLE {name}")
    try:
        with pytest.raises(NovaopsError, match="may not make the schema novaops") as refused:
            project.migrations.run(project.migrations.pending())
        assert f"GRANT CREATE ON DATABASE {site.live.info.dbname} TO" in str(refused.value.hint)
    finally:
        site.live.execute(f"DROP ROLE {name}")


def test_in_a_fresh_database_run_records_them_as_not_needed(fresh: Site) -> None:
    fresh.file("0001_a.sql", "SELECT nowhere;")
    assert run(fresh.declare(USERS)) == Ran(not_needed=("0001_a.sql",))
    assert fresh.ledger() == [("0001_a.sql", "pre", "not needed")]


def test_run_leaves_post_files_to_apply(site: Site) -> None:
    site.file("0001_a.post.sql", "SELECT 1;")
    project = site.declare(USERS)
    pending = project.migrations.pending()
    assert ([f.name for f in pending.files], [f.name for f in pending.post]) == ([], ["0001_a.post.sql"])
    assert project.migrations.run(pending) == Ran()
    assert states(project) == [("0001_a.post.sql", "pending")]


def test_a_rehearsal_changes_nothing_and_finds_the_error(site: Site) -> None:
    site.file("0001_good.sql", "CREATE TABLE made (a int);")
    site.file("0002_bad.sql", "\nSELECT nowhere FROM made;")
    pending = site.declare(USERS).migrations.pending(rehearse=True)
    assert pending.rehearsed
    assert pending.failed is not None
    assert (pending.failed.source.line, pending.failed.source.column, pending.failed.code) == (2, 8, "42703")
    assert site.value("SELECT to_regclass('made')") is None
    assert not site.has_ledger()


def test_accept_knows_only_files_of_the_folder(site: Site) -> None:
    site.file("0001_a.sql", "SELECT 1;")
    project = site.declare(USERS)
    with pytest.raises(UsageError, match=r"there is no pre-migration 0001_b\.sql") as unknown:
        project.migrations.accept("0001_b.sql")
    assert unknown.value.hint == "one of: 0001_a.sql"
    project.migrations.accept("0001_a.sql")
    assert states(project) == [("0001_a.sql", "adopted")]
