"""A table that has to be made anew keeps its rows, and what numbers them goes on."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

PLAIN = "CREATE TABLE event (id int {id}, kind text NOT NULL, at date NOT NULL, PRIMARY KEY (id, kind));"
PARTITIONED = PLAIN.removesuffix(";") + " PARTITION BY LIST (kind);"
PARTITIONS = "CREATE TABLE event_a PARTITION OF event FOR VALUES IN ('a'); CREATE TABLE event_rest PARTITION OF event DEFAULT;"
ROWS = "INSERT INTO event (kind, at) VALUES ('a', '2024-01-01'), ('b', '2024-01-02');"
KEPT = 'SELECT array_agg((id, kind, at)::text ORDER BY id) = \'{"(1,a,2024-01-01)","(2,b,2024-01-02)"}\' FROM event'
NUMBERED = {
    "identity": "GENERATED ALWAYS AS IDENTITY",
    "serial": "DEFAULT nextval('event_id_seq')",
}
SEQUENCE = "CREATE SEQUENCE event_id_seq;"
OWNED = "ALTER SEQUENCE event_id_seq OWNED BY event.id;"
AROUND = """
CREATE INDEX event_at ON event (at);
CREATE STATISTICS event_stat ON kind, at FROM event;
CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''a copied row is not a new one''; END';
CREATE TRIGGER complain BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION complain();
CREATE RULE refuse AS ON DELETE TO event DO INSTEAD NOTHING;
ALTER TABLE event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON event USING (false);
CREATE TABLE note (event int, kind text, FOREIGN KEY (event, kind) REFERENCES event);
CREATE VIEW kinds AS SELECT DISTINCT kind FROM event;
CREATE MATERIALIZED VIEW days AS SELECT DISTINCT at FROM event;
COMMENT ON TABLE event IS 'what happened';
COMMENT ON COLUMN event.at IS 'when';
GRANT SELECT ON event TO PUBLIC;
"""


@pytest.fixture(params=NUMBERED)
def tables(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The plain table and the partitioned one."""
    before, after = (SEQUENCE, OWNED) if request.param == "serial" else ("", "")
    clause = NUMBERED[request.param]
    plain = before + PLAIN.format(id=clause) + after
    return plain, before + PARTITIONED.format(id=clause) + after + PARTITIONS


@pytest.mark.parametrize("way", ["divided", "united"])
def test_rows_move(converge: Converge, tables: tuple[str, str], way: str) -> None:
    old, new = tables if way == "divided" else reversed(tables)
    converge(old, new, rows=ROWS, check=KEPT, busy=["event"])


@pytest.mark.parametrize("way", ["divided", "united"])
def test_rows_move_with_all_that_surrounds_them(
    converge: Converge, tables: tuple[str, str], way: str
) -> None:
    old, new = (t + AROUND for t in (tables if way == "divided" else reversed(tables)))
    quiet = "ALTER TABLE event DISABLE TRIGGER complain;"
    loud = "ALTER TABLE event ENABLE TRIGGER complain; INSERT INTO note VALUES (1, 'a');"
    both = "SELECT (SELECT count(*) FROM event) = 2, (SELECT count(*) FROM note) = 1, (SELECT count(*) FROM days) = 2"
    converge(old, new, rows=quiet + ROWS + loud, check=both, busy=["event", "note"])


@pytest.mark.parametrize("way", ["divided", "united"])
def test_numbers_go_on(converge: Converge, tables: tuple[str, str], way: str) -> None:
    old, new = tables if way == "divided" else reversed(tables)
    sequence = "nextval(pg_get_serial_sequence('event', 'id')) = 3"
    converge(old, new, rows=ROWS, check=f"SELECT {sequence}", busy=["event"])


def test_types_change_on_the_way(converge: Converge, tables: tuple[str, str]) -> None:
    old, new = ("CREATE TYPE mood AS ENUM ({}); " + t for t in tables)
    old = (
        old.format("'sad', 'happy'")
        + "ALTER TABLE event ADD mood mood DEFAULT 'happy', ADD note varchar(9) DEFAULT 'x';"
    )
    new = (
        new.format("'happy', 'new'")
        + "ALTER TABLE event ADD mood mood DEFAULT 'happy', ADD note text DEFAULT 'x';"
    )
    check = "SELECT count(*) = 2, min(mood::text) = 'happy', min(note) = 'x' FROM event"
    converge(old, new, rows=ROWS, check=check, busy=["event"])


def test_partition_is_divided_itself(converge: Converge) -> None:
    whole = "CREATE TABLE event (kind text, at int) PARTITION BY LIST (kind);"
    old = whole + "CREATE TABLE event_a PARTITION OF event FOR VALUES IN ('a');"
    new = (
        whole
        + "CREATE TABLE event_a PARTITION OF event FOR VALUES IN ('a') PARTITION BY LIST (at);"
        + "CREATE TABLE event_a1 PARTITION OF event_a FOR VALUES IN (1);"
    )
    rows = "INSERT INTO event VALUES ('a', 1)"
    converge(old, new, rows=rows, check="SELECT count(*) = 1 FROM event", busy=["event_a"])
    converge(new, old, rows=rows, check="SELECT count(*) = 1 FROM event", busy=["event_a"])


def test_other_key_of_partitions(converge: Converge) -> None:
    old = "CREATE TABLE event (a int, b int) PARTITION BY LIST (a); CREATE TABLE one PARTITION OF event FOR VALUES IN (1);"
    new = "CREATE TABLE event (a int, b int) PARTITION BY LIST (b); CREATE TABLE two PARTITION OF event FOR VALUES IN (2);"
    rows = "INSERT INTO event VALUES (1, 2)"
    converge(old, new, rows=rows, check="SELECT count(*) = 1 FROM two", busy=["event", "one"])


DIVIDED = """
    CREATE TABLE event (kind text, at int) PARTITION BY LIST (kind);
    CREATE TABLE event_a PARTITION OF event FOR VALUES IN ('a') PARTITION BY LIST (at);
    CREATE TABLE event_a1 PARTITION OF event_a DEFAULT;
    CREATE TABLE event_d PARTITION OF event DEFAULT PARTITION BY HASH (at);
    CREATE TABLE event_d0 PARTITION OF event_d FOR VALUES WITH (MODULUS 1, REMAINDER 0);
"""


def test_a_divided_partition_of_what_is_made_anew(converge: Converge) -> None:
    """One with rows leaves as it is; one without is dropped at once, so that its name is free."""
    new = """
        CREATE TABLE event (kind text, at int) PARTITION BY RANGE (at);
        CREATE TABLE event_a (kind text, at int);
        CREATE TABLE event_d PARTITION OF event DEFAULT;
    """
    rows = "INSERT INTO event VALUES ('a', 1)"
    converge(
        DIVIDED,
        new,
        rows=rows,
        check="SELECT count(*) = 1 FROM event_a",
        busy=["event", "event_a", "event_a1"],
    )


def test_a_new_sequence_goes_on_behind_the_rows(converge: Converge) -> None:
    old = "CREATE TABLE event (id int, kind text) PARTITION BY LIST (kind); CREATE TABLE rest PARTITION OF event DEFAULT;"
    new = "CREATE TABLE event (id serial, kind text)"
    converge(
        old,
        new,
        rows="INSERT INTO event VALUES (7, 'a')",
        check="SELECT nextval('event_id_seq') = 8",
        busy=["event"],
    )
