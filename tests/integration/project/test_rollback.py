"""The way back from a plan: proven with it, bound to what it leads to, honest about what is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.execution.pg_dump import entries
from novaops.execution.rehearsal import Rehearsal
from novaops.planning.plan import Plan
from novaops.project import Options, Project

Connection = psycopg.Connection[Any]
PLAIN = Options(ignore_file=None)

BEFORE = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(40) NOT NULL DEFAULT 'x',
    legacy int,
    mood mood DEFAULT 'sad'
);
CREATE INDEX people_name ON people (name);
CREATE TABLE gone (a int PRIMARY KEY, person bigint REFERENCES people);
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE VIEW v AS SELECT id, name FROM people;
COMMENT ON VIEW v IS 'as it was';
GRANT SELECT ON v TO PUBLIC;
"""
AFTER = """
CREATE SCHEMA more;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text DEFAULT 'y',
    mood mood DEFAULT 'ok',
    CHECK (name <> '')
);
CREATE INDEX people_mood ON people (mood);
CREATE TABLE more.t (a int PRIMARY KEY, e mood[]);
CREATE FUNCTION f(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a';
CREATE VIEW v AS SELECT id, name, mood FROM people;
CREATE PUBLICATION pub FOR TABLE people;
"""


def take_back(url: str, back: Plan, *allow: str) -> None:
    """Apply the way back as somebody who has only its file."""
    with Project(url, "no-such-file.sql", PLAIN) as other:
        other.apply(back, allow)


def test_the_way_back_leads_to_what_there_was(
    url: str, live: Connection, declare: Callable[..., Project], pg_dump: Callable[..., str]
) -> None:
    live.execute(BEFORE + "INSERT INTO people (name, legacy) VALUES ('a', 1), ('b', NULL)")
    start = entries(pg_dump(url, "-s", "-N", "novaops"))
    project = declare(AFTER)
    made, back = project.rollback(project.plan(("all",)))
    assert Rehearsal.of(back.rehearsal).converges
    assert Rehearsal.of(back.rehearsal).pg_dump == "agrees"
    project.apply(made, ("all",))
    assert entries(pg_dump(url, "-s", "-N", "novaops")) != start
    assert {h.consent for h in back.blocked} == {"data-loss:more", "behaviour:pub"}
    take_back(url, back, *(h.consent for h in back.blocked))
    assert entries(pg_dump(url, "-s", "-N", "novaops")) == start
    rows = live.execute("SELECT id, name, legacy FROM people ORDER BY id").fetchall()
    assert rows == [(1, "a", None), (2, "b", None)]


def test_what_does_not_come_back_is_named(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute("CREATE TABLE t (a int, b int); CREATE TABLE u (a int); CREATE TABLE empty_one (a int)")
    live.execute("INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (1)")
    project = declare("CREATE TABLE t (a int);")
    _, back = project.rollback(project.plan(("all",)))
    assert sorted(back.notices) == [
        "public.t.b does not come back as it was: loses 1 value",
        "public.u does not come back as it was: loses 1 row",
    ]


def test_the_way_back_is_bound_to_what_the_plan_has_made(
    url: str, live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE TABLE t (a int)")
    project = declare("CREATE TABLE t (a int, b int);")
    made, back = project.rollback(project.plan())
    with pytest.raises(TargetChangedError):
        take_back(url, back)
    project.apply(made)
    live.execute("CREATE TABLE meanwhile (a int)")
    with pytest.raises(TargetChangedError):
        take_back(url, back)
    live.execute("DROP TABLE meanwhile")
    take_back(url, back)
    with pytest.raises(TargetChangedError):
        take_back(url, back)


def test_rows_that_came_since_are_not_taken_unasked(
    url: str, live: Connection, declare: Callable[..., Project]
) -> None:
    project = declare("CREATE TABLE t (a int);")
    made, back = project.rollback(project.plan())
    assert back.blocked == ()
    project.apply(made)
    live.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(RefusedError, match=r"data-loss:public\.t was no hazard when the plan was made"):
        take_back(url, back)
    assert live.execute("SELECT count(*) FROM t").fetchone() == (1,)
    take_back(url, back, "data-loss:public.t")
    assert live.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_values_that_came_since_are_not_cut_unasked(
    url: str, live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE TABLE t (a varchar(3))")
    project = declare("CREATE TABLE t (a text);")
    made, back = project.rollback(project.plan())
    project.apply(made)
    live.execute("INSERT INTO t VALUES ('longer')")
    with pytest.raises(RefusedError):
        take_back(url, back)
    assert live.execute("SELECT a FROM t").fetchall() == [("longer",)]


def test_tables_of_others_keep_their_owner(
    url: str, live: Connection, declare: Callable[..., Project], server_url: str
) -> None:
    live.execute("CREATE ROLE novaops_rollback_owner; CREATE TABLE t (a int); CREATE VIEW v AS TABLE t")
    try:
        live.execute(
            "ALTER TABLE t OWNER TO novaops_rollback_owner; ALTER VIEW v OWNER TO novaops_rollback_owner"
        )
        project = declare("CREATE TABLE t (a int, b int GENERATED ALWAYS AS IDENTITY);")
        made, back = project.rollback(project.plan(("all",)))
        project.apply(made)
        take_back(url, back)
        owners = live.execute(
            "SELECT relname, relowner::regrole::text FROM pg_class WHERE relname IN ('t', 'v')"
        ).fetchall()
        assert set(owners) == {("t", "novaops_rollback_owner"), ("v", "novaops_rollback_owner")}
    finally:
        live.execute("DROP TABLE IF EXISTS t CASCADE; DROP ROLE novaops_rollback_owner")


def test_a_way_back_that_does_not_lead_back_is_not_given(
    live: Connection, declare: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    from novaops.project import rehearse

    def shortened(*given: Any) -> Plan:
        back = honest(*given)
        return replace(back, statements=back.statements[1:])

    honest = rehearse.way_back
    monkeypatch.setattr(rehearse, "way_back", shortened)
    live.execute("CREATE TABLE t (a int)")
    project = declare("CREATE TABLE t (a int, b int);")
    with pytest.raises(NovaopsError, match="no proven way back") as refused:
        project.rollback(project.plan())
    assert "table column public.t.b" in str(refused.value.detail)


@pytest.mark.parametrize(
    ("before", "after", "come", "hazard"),
    [
        (
            "CREATE TABLE t (a int NOT NULL, b int)",
            "CREATE TABLE t (a int, b int);",
            "INSERT INTO t VALUES (NULL, 1)",
            "not-null",
        ),
        (
            "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES r, b int)",
            "CREATE TABLE r (id int PRIMARY KEY); CREATE TABLE t (a int, b int);",
            "INSERT INTO t VALUES (7, 1)",
            "foreign-key",
        ),
        (
            "CREATE TABLE t (a int UNIQUE, b int)",
            "CREATE TABLE t (a int, b int);",
            "INSERT INTO t VALUES (1, 1), (1, 1)",
            "unique",
        ),
        (
            "CREATE TABLE t (a int CHECK (a > 0), b int)",
            "CREATE TABLE t (a int, b int);",
            "INSERT INTO t VALUES (-1, 1)",
            "check",
        ),
        (
            "CREATE DOMAIN d AS int CHECK (VALUE > 0); CREATE TABLE t (a d, b int)",
            "CREATE DOMAIN d AS int; CREATE TABLE t (a d, b int);",
            "INSERT INTO t VALUES (-1, 1)",
            "check",
        ),
        (
            "CREATE TABLE t (a int, b int)",
            "CREATE TABLE t (a bigint, b int);",
            "INSERT INTO t VALUES (5000000000, 1)",
            "check",
        ),
    ],
)
def test_rows_that_postgresql_would_refuse_stop_the_way_back_before_it_begins(
    url: str,
    live: Connection,
    declare: Callable[..., Project],
    before: str,
    after: str,
    come: str,
    hazard: str,
) -> None:
    live.execute(f"{before}; INSERT INTO t SELECT NULL, 1 WHERE false; CREATE TABLE z (a int)")
    project = declare(f"{after} CREATE TABLE z (a int, b int);")
    made, back = project.rollback(project.plan())
    project.apply(made)
    live.execute(come)
    with pytest.raises(RefusedError, match=f"{hazard}:.* is one now") as refused:
        take_back(url, back)
    assert "plan" not in str(refused.value.hint)
    columns = (
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'z'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    assert live.execute(columns).fetchone() == (2,), "nothing of the way back was committed"
    assert live.execute("SELECT count(*) FROM pg_constraint WHERE NOT convalidated").fetchone() == (0,)
    live.execute("TRUNCATE t")
    take_back(url, back)
    assert live.execute(columns).fetchone() == (1,)
