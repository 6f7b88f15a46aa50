"""Objects that novaops never applied and the files never declared: nobody drops them unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.errors import NovaopsError, RefusedError
from novaops.output.json import plan_from_json, plan_to_json
from novaops.planning.plan import Plan
from novaops.project import Project
from tests.integration.project.conftest import consents, exists

Connection = psycopg.Connection[Any]
Declare = Callable[..., Project]

T = "CREATE TABLE t (a int PRIMARY KEY, b text);\n"
ROWS = "INSERT INTO t VALUES (1, 'one')"
OTHERS = """
CREATE TABLE q (i int GENERATED ALWAYS AS IDENTITY, s serial, t text DEFAULT 'x' NOT NULL UNIQUE);
CREATE INDEX q_t ON q (t);
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f(integer) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE counter;
CREATE MATERIALIZED VIEW m AS SELECT 1 AS one;
"""
NAMED = [
    "public.counter",
    "public.f(integer)",
    "public.m",
    "public.mood",
    "public.positive",
    "public.q",
    "public.v",
]


@pytest.fixture
def asking(declare: Declare) -> Declare:
    """`declare`, for projects that ask."""
    return lambda text, **options: declare(text, **{"undeclared": "ask", **options})


def named(made: Plan) -> list[str]:
    """The objects for which the plan asks whether they may go although nobody declared them."""
    return sorted(h.object for h in made.blocked if h.hazard == "undeclared-drop")


# -- what asks ----------------------------------------------------------------------------------


def test_every_object_of_a_database_without_a_record_asks(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}{ROWS};{OTHERS}")
    project = asking(T)
    made = project.plan()
    assert named(made) == NAMED
    asked = [h for h in made.blocked if h.hazard == "undeclared-drop"]
    assert {(h.code, h.message) for h in asked} == {
        ("H103", "no record says that novaops created it or that the files declared it")
    }
    with pytest.raises(RefusedError):
        project.apply(made)
    assert exists(live, "public.q")
    assert exists(live, "public.v")
    assert project.apply(made, allow=consents(made)).left == ()
    assert not exists(live, "public.q")


def test_rows_are_asked_about_as_well(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}{ROWS}; CREATE TABLE q (i int); INSERT INTO q VALUES (1)")
    assert sorted(consents(asking(T).plan())) == ["data-loss:public.q", "undeclared-drop:public.q"]


@pytest.mark.parametrize(
    ("made_by_hand", "name"),
    [
        ("ALTER TABLE t ADD COLUMN c int", "public.t.c"),
        ("CREATE INDEX t_b ON t (b)", "public.t_b"),
        ("ALTER TABLE t ADD CONSTRAINT short CHECK (length(b) < 9)", "short on public.t"),
        ("ALTER TABLE t ADD CONSTRAINT once UNIQUE (b)", "once on public.t"),
        ("CREATE POLICY mine ON t USING (a = 1)", "mine on public.t"),
        ("CREATE RULE log AS ON DELETE TO t DO NOTHING", "log on public.t"),
        ("CREATE STATISTICS st ON a, b FROM t", "public.st"),
        (
            "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "touch on public.t",
        ),
    ],
)
def test_parts_of_a_declared_table_ask(
    live: Connection, asking: Declare, made_by_hand: str, name: str
) -> None:
    live.execute(f"{T}{ROWS}")
    assert asking(T).apply().left == ()
    live.execute(made_by_hand)
    project = asking(T)
    made = project.plan()
    assert named(made) == [name]
    assert project.apply(made, allow=consents(made)).left == ()
    assert not project.plan().todo


def test_a_column_with_values_is_asked_about_once(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}{ROWS}; ALTER TABLE t ADD COLUMN empty text")
    made = asking("CREATE TABLE t (a int PRIMARY KEY);").plan()
    assert sorted(consents(made)) == ["data-loss:public.t.b", "undeclared-drop:public.t.empty"]


def test_settings_of_a_declared_column_do_not_ask(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}{ROWS}; ALTER TABLE t ALTER b SET DEFAULT 'x', ALTER b SET NOT NULL")
    made = asking(T).plan()
    assert made.todo
    assert made.blocked == ()


def test_objects_outside_of_schemas_ask_where_the_database_is_managed(
    live: Connection, asking: Declare
) -> None:
    live.execute(
        f"{T}CREATE SCHEMA other; CREATE TABLE other.o (a int);"
        "CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE EVENT TRIGGER noting ON ddl_command_end EXECUTE FUNCTION noted();"
        "CREATE PUBLICATION pub FOR TABLE t"
    )
    assert named(asking(T).plan()) == ["public.noted()"]
    assert named(asking(T, scope="database").plan()) == [
        *("noting", "other", "other.o", "pub", "public.noted()"),
    ]


# -- what does not ------------------------------------------------------------------------------


def test_what_the_files_declared_at_the_last_apply_is_dropped_unasked(
    live: Connection, asking: Declare
) -> None:
    assert asking(T + OTHERS).apply().left == ()
    live.execute(ROWS)
    project = asking(T)
    made = project.plan()
    assert named(made) == []
    assert project.apply(made, allow=["data-loss"]).left == ()
    assert not exists(live, "public.q")


def test_what_somebody_makes_after_the_last_apply_asks(live: Connection, asking: Declare) -> None:
    assert asking(T).apply().left == ()
    live.execute("CREATE TABLE q (i int)")
    made = asking(T).plan()
    assert named(made) == ["public.q"]
    assert "(history 1)" in made.blocked[0].message


def test_what_a_failed_apply_has_created_is_dropped_unasked(live: Connection, asking: Declare) -> None:
    """The run commits the tables, and fails when it validates a constraint: it never converges."""
    assert asking(T).apply().left == ()
    live.execute(ROWS)
    small = "ALTER TABLE t ADD CONSTRAINT small CHECK (a < 0);"
    with pytest.raises(NovaopsError, match="small"):
        asking(f"{T}CREATE TABLE q (i int);{small}").apply(allow=["all", "check"])
    live.execute("CREATE TABLE r (i int)")
    assert exists(live, "public.q")
    assert named(asking(T + small).plan()) == ["public.r"]


def test_a_rebuild_does_not_ask(live: Connection, asking: Declare) -> None:
    live.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t")
    project = asking("CREATE TABLE t (a bigint); CREATE VIEW v AS SELECT a FROM t;")
    made = project.plan()
    assert named(made) == []
    assert project.apply(made, allow=["all"]).left == ()


def test_a_renamed_object_does_not_ask(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}{ROWS}")
    renamed = "-- novaops: renamed from t\nCREATE TABLE u (a int CONSTRAINT t_pkey PRIMARY KEY, b text);"
    project = asking(renamed)
    made = project.plan()
    assert made.blocked == ()
    assert project.apply(made).left == ()
    assert exists(live, "public.u")


def test_what_goes_along_with_a_declared_object_does_not_ask(live: Connection, asking: Declare) -> None:
    parted = "CREATE TABLE p (a int, b int) PARTITION BY LIST (a);"
    assert asking(T + parted).apply().left == ()
    live.execute(
        "CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1); CREATE INDEX p_b ON p (b); CREATE INDEX t_b ON t (b)"
    )
    made = asking("CREATE TABLE t (a int PRIMARY KEY);").plan()
    assert named(made) == []


def test_what_a_pre_migration_makes_does_not_ask(live: Connection, asking: Declare, tmp_path: Path) -> None:
    assert asking(T).apply().left == ()
    live.execute(ROWS)
    folder = tmp_path / "pre"
    folder.mkdir()
    (folder / "0001_scratch.sql").write_text("CREATE TABLE scratch (a int);")
    project = asking(T, pre_migrations=folder)
    made = project.plan()
    assert consents(made) == ["data-loss:public.scratch"]
    assert project.apply(made, allow=consents(made)).left == ()
    assert not exists(live, "public.scratch")


def test_a_column_that_renames_json_lists_does_not_ask(
    live: Connection, asking: Declare, tmp_path: Path
) -> None:
    live.execute(f"{T}INSERT INTO t VALUES (1, NULL); ALTER TABLE t ADD COLUMN c int")
    (tmp_path / "renames.json").write_text(
        '{"renames": [{"table": "t", "drop": "b", "reason": "never filled"}]}'
    )
    made = asking("CREATE TABLE t (a int PRIMARY KEY);").plan()
    assert named(made) == ["public.t.c"]


# -- consent ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "allow", ["undeclared-drop", "undeclared-drop:public.q", "H103", "h103:public.q", "all"]
)
def test_consent(live: Connection, asking: Declare, allow: str) -> None:
    live.execute(f"{T}CREATE TABLE q (i int)")
    project = asking(T)
    assert project.apply(project.plan(allow=[allow])).left == ()
    assert not exists(live, "public.q")


@pytest.mark.parametrize("allow", ["data-loss", "undeclared-drop:public.t"])
def test_other_consent_is_none(live: Connection, asking: Declare, allow: str) -> None:
    live.execute(f"{T}CREATE TABLE q (i int)")
    assert named(asking(T).plan(allow=[allow])) == ["public.q"]


def test_a_saved_plan_keeps_what_was_approved(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}CREATE TABLE q (i int); CREATE TABLE r (i int)")
    project = asking(T)
    saved = plan_from_json(plan_to_json(project.plan(allow=["undeclared-drop:public.q"])))
    assert named(saved) == ["public.r"]
    with pytest.raises(RefusedError, match=r"undeclared-drop:public\.r"):
        asking(T).apply(saved)
    assert asking(T).apply(saved, allow=["undeclared-drop:public.r"]).left == ()
    assert not exists(live, "public.q")


def test_only_what_is_safe_leaves_it_and_asks_again(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}CREATE TABLE q (i int)")
    project = asking(T + "CREATE TABLE new (a int);")
    made = project.plan(safe_only=True)
    assert made.blocked == ()
    assert [c.object for c in made.left_out] == ["public.q"]
    assert made.undeclared == ("public.q", "public.q.i")
    assert project.apply(made).left == ()
    assert exists(live, "public.q")
    assert named(asking(T + "CREATE TABLE new (a int);").plan()) == ["public.q"]


def test_a_saved_plan_of_what_is_safe_leaves_it_and_asks_again(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}CREATE TABLE q (i int)")
    declared = T + "CREATE TABLE new (a int);"
    saved = plan_from_json(plan_to_json(asking(declared).plan(safe_only=True)))
    asking(declared).apply(saved)
    assert exists(live, "public.q")
    assert named(asking(declared).plan()) == ["public.q"]
    assert named(asking(T).plan()) == ["public.q"]  # what the saved plan has created does not ask


# -- the setting --------------------------------------------------------------------------------


def test_keep_leaves_them_and_says_so(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}{ROWS};{OTHERS}; CREATE INDEX t_b ON t (b); ALTER TABLE t ADD c int")
    project = asking(T + "CREATE TABLE new (a int);", undeclared="keep")
    made = project.plan()
    assert [c.object for c in made.changes] == ["public.new"]
    assert made.blocked == ()
    assert made.notices == (
        "9 undeclared objects are kept (undeclared = keep): public.f(integer), public.t_b, public.m, "
        "public.counter, public.q and 4 more",
    )
    assert set(NAMED) <= set(made.undeclared)
    assert project.apply(made).left == ()
    assert exists(live, "public.q")
    assert exists(live, "public.t_b")
    assert not asking(T + "CREATE TABLE new (a int);", undeclared="keep").plan().todo
    assert len(named(asking(T + "CREATE TABLE new (a int);").plan())) == 9


def test_keep_does_not_drop_what_a_kept_object_needs(live: Connection, asking: Declare) -> None:
    assert asking(T + "CREATE TABLE q (i int);").apply().left == ()
    live.execute("CREATE VIEW over_q AS SELECT i FROM q; INSERT INTO q VALUES (1)")
    project = asking(T, undeclared="keep")
    made = project.plan(allow=["data-loss"])
    assert consents(made) == ["unmanaged-dependant:public.over_q"]
    with pytest.raises(RefusedError):
        project.apply(made)
    assert exists(live, "public.over_q")


def test_keep_drops_what_the_files_declared(live: Connection, asking: Declare) -> None:
    assert asking(T + OTHERS).apply().left == ()
    live.execute("CREATE TABLE by_hand (a int)")
    assert asking(T, undeclared="keep").apply(allow=["data-loss"]).left == ()
    assert not exists(live, "public.q")
    assert exists(live, "public.by_hand")


def test_drop_asks_about_rows_only(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}CREATE VIEW v AS SELECT 1; CREATE TABLE q AS SELECT 1; CREATE TABLE r (a int)")
    assert consents(asking(T, undeclared="drop").plan()) == ["data-loss:public.q"]


def test_without_a_journal_everything_undeclared_asks(live: Connection, asking: Declare) -> None:
    assert asking(T + "CREATE TABLE q (i int);", journal=False).apply().left == ()
    assert named(asking(T, journal=False).plan()) == ["public.q"]


# -- ledgers of other tools ---------------------------------------------------------------------

SQLX = """
CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL,
    installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL,
    execution_time bigint NOT NULL);
INSERT INTO _sqlx_migrations VALUES (1, 'init', now(), true, '\\x00', 1);
"""
DJANGO = "CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, name text, applied timestamptz);"


def test_ledgers_of_other_tools_are_kept_and_proposed_for_the_ignore_file(
    live: Connection, asking: Declare, tmp_path: Path
) -> None:
    live.execute(f"{T}{ROWS};{SQLX}{DJANGO}")
    project = asking(T)
    made = project.plan()
    assert not made.todo
    assert made.blocked == ()
    head, *lines = made.notices[0].split("\n")
    assert head == (
        "kept, as other migration tools record there what they have run: public._sqlx_migrations (sqlx),"
        " public.django_migrations (Django); add to .pgschemaignore:"
    )
    assert lines == [
        "[sequences]",
        'patterns = ["django_migrations_id_seq"]',
        "[tables]",
        'patterns = ["_sqlx_migrations", "django_migrations"]',
    ]
    ignore = tmp_path / "ignore"
    ignore.write_text("\n".join(lines))
    ignoring = asking(T, ignore_file=ignore).plan()
    assert not ignoring.todo
    assert ignoring.notices == ()
    assert "public.django_migrations" in ignoring.skipped


def test_a_ledger_is_dropped_by_consent(live: Connection, asking: Declare) -> None:
    live.execute(f"{T}{SQLX}")
    allow = ["undeclared-drop:public._sqlx_migrations"]
    made = asking(T).plan(allow=allow)
    assert consents(made) == ["data-loss:public._sqlx_migrations"]
    assert made.notices == ()
    assert consents(asking(T, undeclared="drop").plan()) == ["data-loss:public._sqlx_migrations"]


def test_a_table_with_the_name_of_a_ledger_and_other_columns_is_none(
    live: Connection, asking: Declare
) -> None:
    live.execute(
        f"{T}CREATE TABLE migrations (id int, species text); CREATE VIEW alembic_version AS SELECT 1"
    )
    assert named(asking(T).plan()) == ["public.alembic_version", "public.migrations"]
