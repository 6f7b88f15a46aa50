"""Tables that are put aside instead of dropped, and come back as they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from novaops.errors import NovaopsError, RefusedError
from novaops.execution.pg_dump import entries
from novaops.execution.rehearsal import Rehearsal
from novaops.project import Project
from tests.integration.project.conftest import consents

Connection = psycopg.Connection[Any]
MONTH = timedelta(days=30)

KEPT = """
CREATE TABLE people (id bigint PRIMARY KEY);
CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE lines (a int, o int);
"""
ORDERS = """
CREATE FUNCTION checked(a int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a > 0';
CREATE TABLE orders (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number serial UNIQUE,
    person bigint REFERENCES people,
    amount int DEFAULT 1 CHECK (checked(amount)),
    CHECK (amount < 1000)
);
CREATE INDEX orders_person ON orders (person);
CREATE STATISTICS orders_stat ON person, amount FROM orders;
CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION kept();
CREATE POLICY p ON orders USING (EXISTS (SELECT FROM people WHERE id = person));
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE orders IS 'as it was';
GRANT SELECT ON orders TO PUBLIC;
ALTER TABLE lines ADD CONSTRAINT lines_o FOREIGN KEY (o) REFERENCES orders (id);
CREATE VIEW v AS SELECT number FROM orders;
CREATE PUBLICATION pub FOR TABLE orders;
"""
ROWS = "INSERT INTO people VALUES (7); INSERT INTO orders (person, amount) VALUES (7, 1), (7, 2)"


def test_a_parked_table_is_no_loss_and_comes_back_with_everything(
    url: str, live: Connection, declare: Callable[..., Project], pg_dump: Callable[..., str]
) -> None:
    live.execute(KEPT + ORDERS + ROWS)
    (oid,) = live.execute("SELECT 'orders'::regclass::oid").fetchone() or (0,)
    own = ("-N", "novaops", "-N", "novaops_parked")
    start = entries(pg_dump(url, "-s", *own))
    project = declare(KEPT + ORDERS.partition("CREATE TABLE")[0])
    made = project.plan(park=MONTH)
    assert made.blocked == ()
    assert not [s for s in made.statements if s.sql.startswith("DROP TABLE")]
    outcome = project.apply(made)
    assert outcome.left == ()
    assert Rehearsal.of(outcome.rehearsal).pg_dump == "agrees"
    assert project.plan(park=MONTH).statements == ()
    (parked,) = project.parked()
    assert parked.origin == "public.orders"
    assert parked.until - parked.parked_at > MONTH - timedelta(minutes=10)
    found = live.execute("SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = %s", [oid])
    assert found.fetchone() == ("novaops_parked",)

    back = project.unpark("public.orders")
    assert back.failed == ()
    live.execute("CREATE VIEW v AS SELECT number FROM orders")  # it was dropped, being no part of the table
    assert entries(pg_dump(url, "-s", *own)) == start
    assert live.execute("SELECT id, number, person, amount FROM orders").fetchall() == [
        (1, 1, 7, 1),
        (2, 2, 7, 2),
    ]
    assert live.execute("INSERT INTO orders (person) VALUES (7) RETURNING id, number").fetchone() == (3, 3)
    assert project.parked() == []


def test_a_table_can_be_parked_again_and_again(live: Connection, declare: Callable[..., Project]) -> None:
    project = declare("")
    for value in (1, 2):
        live.execute(f"CREATE TABLE t (a serial PRIMARY KEY); INSERT INTO t VALUES ({value})")
        project.apply(project.plan(("data-loss",), park=MONTH), ("data-loss",))
        live.execute("SELECT pg_sleep(1.1)")  # names are by the second
    assert [t.origin for t in project.parked()] == ["public.t", "public.t"]
    project.unpark("t")
    assert live.execute("SELECT a FROM t").fetchall() == [(2,)]
    with pytest.raises(NovaopsError, match=r"public\.t cannot come back"):
        project.unpark("t")
    assert len(project.parked()) == 1


def test_what_cannot_be_repeated_is_told_and_the_rows_come_back(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute(
        "CREATE TABLE u (a int PRIMARY KEY); CREATE TABLE t (a int REFERENCES u); INSERT INTO u VALUES (1)"
    )
    live.execute("INSERT INTO t VALUES (1)")
    project = declare("CREATE TABLE u (a int PRIMARY KEY);")
    project.apply(project.plan(park=MONTH))
    live.execute("DELETE FROM u")
    (failed,) = project.unpark("public.t").failed
    assert "FOREIGN KEY (a) REFERENCES public.u" in failed
    assert live.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_a_table_that_needs_what_goes_too_is_not_parked(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('sad')")
    live.execute(
        "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)"
    )
    live.execute("INSERT INTO p VALUES (1)")
    live.execute("CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a'")
    live.execute("CREATE TABLE g (a int, b int GENERATED ALWAYS AS (f(a)) STORED)")
    made = declare("CREATE SCHEMA other;", schemas=("public",)).plan(park=MONTH)
    assert "public.t cannot be parked: it needs public.mood, which changes as well" in made.notices
    assert {n.partition(" cannot")[0] for n in made.notices} == {
        "public.t",
        "public.p",
        "public.p1",
        "public.g",
    }
    assert {"data-loss:public.t", "data-loss:public.p1"} <= {h.consent for h in made.blocked}


def test_a_table_that_others_go_on_using_is_not_parked(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE TABLE t (a int); CREATE TABLE u (a serial); CREATE TABLE w (a int)")
    live.execute("CREATE SCHEMA beside; CREATE VIEW beside.v AS TABLE t")
    declared = "CREATE SEQUENCE u_a_seq AS integer; CREATE TABLE w (a int DEFAULT nextval('u_a_seq'));"
    made = declare(declared, schemas=("public",)).plan(park=MONTH)
    assert sorted(made.notices) == [
        "public.t cannot be parked: beside.v, which stays, needs it",
        "public.u cannot be parked: public.u_a_seq stays",
    ]


def test_a_table_whose_name_is_taken_at_once_is_not_parked(
    live: Connection, declare: Callable[..., Project]
) -> None:
    """Tables are parked before everything else: nobody could read the view until it is there."""
    live.execute("CREATE TABLE t (a int); CREATE TABLE u (a int); INSERT INTO t VALUES (1)")
    made = declare("CREATE TABLE u (a int); CREATE VIEW t AS SELECT a FROM u;").plan(park=MONTH)
    (notice,) = (n for n in made.notices if "parked" in n)
    assert notice.startswith("public.t cannot be parked: public.t takes its name")
    assert consents(made) == ["data-loss:public.t"]


def test_only_what_is_past_its_time_is_dropped(live: Connection, declare: Callable[..., Project]) -> None:
    live.execute("CREATE TABLE t (a int); CREATE TABLE u (a int)")
    project = declare("CREATE SCHEMA other;")
    project.apply(project.plan(park=MONTH))
    assert project.drop_expired() == []
    live.execute("UPDATE novaops.parked SET until = now() - interval '1 second' WHERE origin = 'public.t'")
    assert [t.origin for t in project.drop_expired()] == ["public.t"]
    assert [t.origin for t in project.parked()] == ["public.u"]
    assert live.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'novaops_parked'").fetchone() == (
        1,
    )


def test_a_record_that_somebody_else_may_have_written_is_not_run(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE TABLE t (a int); CREATE ROLE novaops_parking_other")
    try:
        project = declare("CREATE SCHEMA other;")
        project.apply(project.plan(park=MONTH))
        for granted in ("UPDATE", "INSERT (restore)", "UPDATE (return)", "TRIGGER"):
            live.execute(f"GRANT {granted} ON novaops.parked TO novaops_parking_other")
            with pytest.raises(RefusedError, match="novaops_parking_other may write"):
                project.unpark("public.t")
            live.execute(f"REVOKE {granted} ON novaops.parked FROM novaops_parking_other")
        live.execute("GRANT UPDATE ON novaops.parked TO PUBLIC")
        with pytest.raises(RefusedError, match="may write to"):
            project.unpark("public.t")
        live.execute("REVOKE UPDATE ON novaops.parked FROM PUBLIC")
        live.execute("ALTER TABLE novaops.parked OWNER TO novaops_parking_other")
        with pytest.raises(RefusedError, match="novaops_parking_other may write"):
            project.unpark("public.t")
        assert len(project.parked()) == 1
    finally:
        live.execute("DROP OWNED BY novaops_parking_other CASCADE; DROP ROLE novaops_parking_other")


def test_allowing_everything_does_not_drop_what_cannot_be_parked(
    live: Connection, declare: Callable[..., Project]
) -> None:
    live.execute("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('sad')")
    project = declare("CREATE SCHEMA other;", schemas=("public",))
    made = project.plan(["all"], park=MONTH)
    assert [h.consent for h in made.blocked] == ["data-loss:public.t"]
    with pytest.raises(RefusedError):
        project.apply(made, ["all"])
    assert live.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert project.apply(project.plan(["all", "data-loss:public.t"], park=MONTH)).left == ()
