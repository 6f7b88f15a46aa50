from __future__ import annotations

from tests.integration.convergence.conftest import Converge

PARENT = "CREATE TABLE log (day date NOT NULL, line text) PARTITION BY RANGE (day);"
ALONE = PARENT + "CREATE TABLE log_1 (day date NOT NULL, line text)"
PART = PARENT + "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2001-01-01') TO ('2002-01-01')"


def test_not_null_goes_by_the_name_it_would_have_inherited(converge: Converge) -> None:
    rows, kept = "INSERT INTO log_1 VALUES ('2001-05-05', 'x')", "SELECT count(*) = 1 FROM log_1"
    converge(ALONE, PART, rows=rows, check=kept)
    converge(PART, ALONE, rows=rows, check=kept)


MOVED = (
    PARENT
    + "CREATE TABLE archive (day date NOT NULL, line text) PARTITION BY RANGE (day);"
    + "CREATE TABLE log_1 PARTITION OF {} FOR VALUES FROM ('2001-01-01') TO ('2002-01-01')"
)


def test_a_partition_moves_to_another_parent(converge: Converge) -> None:
    rows, kept = "INSERT INTO log_1 VALUES ('2001-05-05', 'x')", "SELECT count(*) = 1 FROM archive"
    converge(MOVED.format("log"), MOVED.format("archive"), rows=rows, check=kept)


INDEXED = (
    PART + "; CREATE UNIQUE INDEX {0} log_key ON {1} log (day); CREATE UNIQUE INDEX log_1_key ON log_1 (day);"
)
ATTACHED = "ALTER INDEX log_key ATTACH PARTITION log_1_key;"
KEY = "ALTER TABLE log_1 ADD CONSTRAINT log_1_key PRIMARY KEY USING INDEX log_1_key;"


def test_an_index_is_attached_to_another_and_not_any_more(converge: Converge) -> None:
    alone = INDEXED.format("", "ONLY")
    for attached in (alone + ATTACHED, alone + KEY + ATTACHED):
        converge(alone, attached)
        converge(attached, alone)
        converge(attached, PART)


def test_a_foreign_key_waits_until_the_index_of_every_partition_is_attached(converge: Converge) -> None:
    key = "CREATE UNIQUE INDEX log_key ON log ({0}); ALTER TABLE log ALTER line SET NOT NULL;"
    note = "CREATE TABLE note (line text, day date, FOREIGN KEY ({0}) REFERENCES log ({0}));"
    pair, swapped = PART + ";" + key + note, PART + ";" + key + note
    converge(pair.format("day, line"), swapped.format("line, day"))


def test_what_was_partitioned_is_no_more(converge: Converge) -> None:
    tree = PART + "; CREATE INDEX on_day ON log (day); ALTER TABLE log ADD CHECK (day > '1999-01-01')"
    flat = "CREATE TABLE log (day date NOT NULL, line text); CREATE INDEX log_1_day_idx ON log (day);"
    flat += "CREATE TABLE log_1 (day date NOT NULL, line text)"
    rows, kept = "INSERT INTO log_1 VALUES ('2001-05-05', 'x')", "SELECT count(*) = 1 FROM log_1"
    converge(tree, flat, rows=rows, check=kept)
