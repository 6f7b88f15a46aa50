"""Errors that need no copy are found before one is made."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.project import Project
from tests.integration.pre_migrations.conftest import REPAIR, USERS, Site


@pytest.fixture
def no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a shadow is asked for."""
    monkeypatch.setattr(Project, "shadow", lambda _: pytest.fail("a shadow was made"))


def wrong(call: Callable[[], object]) -> list[tuple[int, int, str | None]]:
    with pytest.raises(DiagnosticsError) as error:
        call()
    return [(d.source.line, d.source.column, d.code) for d in error.value.diagnostics]


@pytest.mark.usefixtures("no_copy")
def test_all_typos_in_files_are_found_before_a_copy_is_made(site: Site) -> None:
    site.file("0001_a.sql", REPAIR + "CREAT TABLE x (a int);\nSELECT FORM users WHERE;\n")
    site.file("0002_b.post.sql", "CREATE TABLE ä (a int,);\n")
    project = site.declare(USERS)
    typos = [(2, 1, "42601"), (3, 23, "42601"), (1, 23, "42601")]
    assert wrong(project.plan) == typos
    assert wrong(project.migrations.pending) == typos
    assert not site.has_ledger()


@pytest.mark.usefixtures("no_copy")
def test_typos_in_the_schema_file_and_in_renames_json_are_found_before(site: Site) -> None:
    site.file("0001_a.sql", REPAIR)
    project = site.declare(USERS + "CREATE VIEW v AS SELECT id FORM;\nCREATE INDX i ON users (id);\n")
    assert wrong(project.plan) == [(3, 8, "42601")]
    renames = site.folder.parent / "renames.json"
    renames.write_text('{"renames": [\n  {"tabel": "t"}]}')
    assert wrong(site.declare(USERS).plan) == [(2, 3, None)]
    renames.write_text(json.dumps({"renames": []}))


def test_what_depends_on_the_database_is_left_to_the_run(site: Site) -> None:
    site.file(
        "0001_later.sql",
        """CREATE TABLE later (a int, b int);
        INSERT INTO later SELECT id, id FROM users;
        WITH x AS (SELECT 1 AS one) UPDATE later SET b = (SELECT one FROM x) WHERE a = 1;
        (SELECT a FROM later) UNION (TABLE later2);
        EXPLAIN SELECT a FROM later;
        CREATE TABLE copied AS SELECT a, b FROM later;
        CREATE VIEW seen AS SELECT a FROM later;
        CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a FROM later; SELECT 1; END;
        DECLARE c CURSOR FOR SELECT a FROM later;
        DO $$ BEGIN PERFORM a FROM later; END $$;
        """.replace("(TABLE later2)", "(SELECT 1)"),
    )
    project = site.declare(USERS)
    pending = project.migrations.pending(["behaviour"])
    assert project.migrations.run(pending).files == ("0001_later.sql",)
    assert site.value("SELECT count(*) FROM copied WHERE b = 1") == 1


def test_a_typo_in_what_may_hold_a_password_is_not_quoted(site: Site) -> None:
    site.file("0001_role.sql", "CREATE ROLE guest LOGIN 'hush';\n")
    with pytest.raises(DiagnosticsError) as error:
        site.declare(USERS).migrations.pending()
    (found,) = error.value.diagnostics
    assert (found.source.line, found.code) == (1, "42601")
    assert (found.message, found.text) == ("syntax error", None)
