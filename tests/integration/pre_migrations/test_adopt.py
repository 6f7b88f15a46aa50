"""Taking over a history: nothing is run, and what the table of another tool says is compared with the files."""

from __future__ import annotations

import hashlib

import pytest

from novaops.errors import NovaopsError, UsageError
from tests.integration.pre_migrations.conftest import USERS, Site

SQLX = """
CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL,
    installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL,
    execution_time bigint NOT NULL)
"""
HARM = "DROP TABLE users;"


def ran_with_sqlx(site: Site, version: int, text: str, success: bool = True) -> None:
    site.live.execute(
        "INSERT INTO _sqlx_migrations VALUES (%s, 'd', now(), %s, %s, 1)",
        [version, success, hashlib.sha384(text.encode()).digest()],
    )


def test_all_files_that_are_there_now(site: Site) -> None:
    site.file("0001_old.sql", HARM)
    site.file("0002_old.post.sql", HARM)
    migrations = site.declare(USERS).migrations
    adoption = migrations.adoption()
    assert (adoption.source, [m.name for m in adoption.files]) == (
        None,
        ["0001_old.sql", "0002_old.post.sql"],
    )
    assert not site.has_ledger()
    migrations.adopt(adoption)
    assert site.ledger() == [("0001_old.sql", "pre", "adopted"), ("0002_old.post.sql", "post", "adopted")]
    made = site.declare(USERS).plan()
    assert (made.pre_migrations, made.blocked, made.statements) == ((), (), ())
    site.file("0003_new.sql", "CREATE TABLE made (a int);")
    assert [m.name for m in site.declare(USERS).plan().pre_migrations] == ["0003_new.sql"]


def test_what_sqlx_has_run(site: Site) -> None:
    site.live.execute(SQLX)
    for version in (1, 20240102030405):
        ran_with_sqlx(site, version, HARM)
    ran_with_sqlx(site, 7, HARM)
    site.file("0001_old.up.sql", HARM)
    site.file("0001_old.down.sql", HARM)
    site.file("20240102030405_old.sql", HARM)
    site.file("20250101000000_new.sql", "SELECT 1;")
    migrations = site.declare(USERS).migrations
    adoption = migrations.adoption()
    assert adoption.source == "public._sqlx_migrations"
    assert [m.name for m in adoption.files] == ["0001_old.up.sql", "20240102030405_old.sql"]
    assert (adoption.left, adoption.without_file) == (("20250101000000_new.sql",), ("7",))
    migrations.adopt(adoption)
    assert [s.state.value for s in migrations.listed()] == ["adopted", "adopted", "pending"]


def test_what_ran_there_with_another_text_or_failed_is_an_error(site: Site) -> None:
    site.live.execute(SQLX)
    ran_with_sqlx(site, 1, "SELECT 1;")
    ran_with_sqlx(site, 2, HARM, success=False)
    site.file("0001_edited.sql", HARM)
    site.file("0002_failed.sql", HARM)
    with pytest.raises(NovaopsError, match="contradicts the files; nothing was recorded") as refused:
        site.declare(USERS).migrations.adoption()
    first, second = str(refused.value.detail).splitlines()
    assert first.startswith("0001_edited.sql: it ran with another text")
    assert second == "0002_failed.sql: it failed there, and what of it has run is not known"
    assert str(refused.value.hint).endswith(": novaops migrations accept 0001_edited.sql")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", "0003"), ("text", "3"), ("int", "3"), ("text", "0003_fix"), ("text", "0003_fix.sql")],
)
def test_a_version_is_the_beginning_of_the_name_or_all_of_it(site: Site, kind: str, value: str) -> None:
    site.live.execute(f"CREATE TABLE migrations (version {kind} PRIMARY KEY)")
    site.live.execute("INSERT INTO migrations VALUES (%s)", [int(value) if kind == "int" else value])
    site.file("0003_fix.sql", HARM)
    site.file("0033_fix.sql", HARM)
    adoption = site.declare(USERS).migrations.adoption()
    assert [m.name for m in adoption.files] == ["0003_fix.sql"]


def test_a_table_by_name(site: Site) -> None:
    site.live.execute(
        "CREATE SCHEMA app; CREATE TABLE app.versions (version int); INSERT INTO app.versions VALUES (1)"
    )
    site.file("0001_old.sql", HARM)
    adoption = site.declare(USERS).migrations.adoption("app.versions")
    assert (adoption.source, [m.name for m in adoption.files]) == ("app.versions", ["0001_old.sql"])
    with pytest.raises(UsageError, match="there is no table users with a column version"):
        site.declare(USERS).migrations.adoption("users")


def test_two_tables_are_not_guessed_between(site: Site) -> None:
    site.live.execute(SQLX + "; CREATE TABLE migrations (version int)")
    site.file("0001_old.sql", HARM)
    migrations = site.declare(USERS).migrations
    with pytest.raises(UsageError, match="more than one table"):
        migrations.adoption()
    assert [m.name for m in migrations.adoption(everything=True).files] == ["0001_old.sql"]
