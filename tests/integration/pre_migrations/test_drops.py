"""What a pre-migration drops is looked up in the live database, and approved by object, statement or file."""

from __future__ import annotations

import pytest

from novaops.errors import RefusedError
from novaops.planning.plan import Plan
from tests.integration.pre_migrations.conftest import USERS, Site


def told(plan: Plan) -> list[tuple[str, str]]:
    return [(h.consent, h.message) for m in plan.pre_migrations for h in m.hazards]


@pytest.mark.parametrize(
    "drop",
    [
        "TABLE IF EXISTS old",
        "TABLE IF EXISTS old, public.older CASCADE",
        "TABLE IF EXISTS nowhere.users CASCADE",
        "SCHEMA IF EXISTS nowhere CASCADE",
        "SEQUENCE IF EXISTS users_seq",
        "TYPE IF EXISTS mood CASCADE",
        "EXTENSION IF EXISTS vector",
        "VIEW IF EXISTS v CASCADE",
        "FUNCTION IF EXISTS f(int) CASCADE",
    ],
)
def test_what_does_not_exist_is_no_hazard(site: Site, drop: str) -> None:
    site.file(
        "0001_drop.sql",
        f"DROP {drop};\nDROP {drop};\nALTER TABLE IF EXISTS users DROP COLUMN IF EXISTS gone;\n",
    )
    project = site.declare(USERS)
    made = project.plan()
    assert (told(made), made.blocked) == ([], ())
    assert project.apply(made).pre_migrations == ("0001_drop.sql",)
    assert site.value("SELECT count(*) FROM users") == 2


def test_hazards_name_what_exists_with_its_rows(site: Site) -> None:
    site.live.execute(
        "CREATE TABLE old AS SELECT 1 AS a FROM generate_series(1, 3); CREATE SCHEMA other;"
        "CREATE TABLE other.old (a int); CREATE TABLE empty (a int); CREATE TYPE mood AS ENUM ('a')"
    )
    site.file(
        "0001_drop.sql",
        "DROP TABLE IF EXISTS gone, old, other.old;\nDROP TABLE empty CASCADE;\nDROP TYPE mood;\n"
        "ALTER TABLE users DROP COLUMN email, DROP COLUMN IF EXISTS gone;\n",
    )
    place = "data-loss:pre-migrations/0001_drop.sql"
    assert told(site.declare("CREATE TABLE users (id bigint PRIMARY KEY);").plan()) == [
        (f"{place}:1", "drops table public.old with 3 rows"),
        (f"{place}:1", "drops table other.old with 0 rows"),
        (f"{place}:2", "drops table public.empty with 0 rows, and what depends on it"),
        (f"{place}:3", "drops type public.mood"),
        (f"{place}:4", "drops column email of public.users with 1 value"),
    ]


@pytest.mark.parametrize(
    ("before", "drop", "message"),
    [
        (
            "ALTER TABLE users RENAME TO old;",
            "TABLE IF EXISTS old",
            "drops table old, which a statement before it may create",
        ),
        (
            'ALTER TABLE users RENAME TO "Old one";',
            'TABLE IF EXISTS "Old one"',
            'drops table "Old one", which a statement before it may create',
        ),
        (
            "ALTER SCHEMA public RENAME TO was;",
            "TABLE IF EXISTS was.users",
            "drops table was.users, which a statement before it may create",
        ),
        (
            "SET search_path = other;",
            "TABLE IF EXISTS hidden",
            "drops table other.hidden with 0 rows",
        ),
    ],
)
def test_what_statements_before_may_create_is_a_hazard(
    site: Site, before: str, drop: str, message: str
) -> None:
    site.live.execute("CREATE SCHEMA other; CREATE TABLE other.hidden (a int)")
    site.file("0001_before.sql", before)
    site.file("0002_drop.sql", f"DROP {drop};")
    files = site.declare(USERS).migrations.pending().files
    assert [h.message for h in files[-1].hazards] == [message]


def test_after_the_plan_it_is_a_hazard_whatever_exists_now(site: Site) -> None:
    site.file(
        "0001_drop.post.sql", "DROP TABLE IF EXISTS old, s.older CASCADE; ALTER TABLE users DROP COLUMN gone;"
    )
    place = "data-loss:pre-migrations/0001_drop.post.sql:1"
    assert told(site.declare(USERS).plan()) == [
        (place, "drops table old, and what depends on it"),
        (place, "drops table s.older, and what depends on it"),
        (place, "drops column gone of users"),
    ]


@pytest.mark.parametrize(
    "allow",
    [
        ["data-loss:0004_drop.sql"],
        ["data-loss:pre-migrations/0004_drop.sql"],
        ["H101:public.old", "data-loss:public.older", "data-loss:public.users.email"],
        ["data-loss:pre-migrations/0004_drop.sql:1", "data-loss:pre-migrations/0004_drop.sql:2"],
    ],
)
def test_approval_by_file_object_or_statement(site: Site, allow: list[str]) -> None:
    site.live.execute("CREATE TABLE old AS SELECT 1 AS a; CREATE TABLE older AS SELECT 1 AS a")
    site.file("0004_drop.sql", "DROP TABLE old, older;\nALTER TABLE users DROP COLUMN email;\n")
    project = site.declare("CREATE TABLE users (id bigint PRIMARY KEY);")
    for fewer in [[], allow[:-1], ["data-loss:0005_drop.sql"], ["behaviour:0004_drop.sql"]]:
        with pytest.raises(RefusedError, match="nothing was applied"):
            project.apply(project.plan(fewer))
    assert site.value("SELECT count(*) FROM old") == 1
    outcome = project.apply(project.plan(allow))
    assert (outcome.pre_migrations, outcome.left) == (("0004_drop.sql",), ())
    assert site.value("SELECT to_regclass('old')") is None
