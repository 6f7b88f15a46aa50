"""An inherited NOT NULL keeps the name it came with, which pg_dump shows since PostgreSQL 18."""

from __future__ import annotations

from tests.integration.convergence.conftest import Converge

MEASURE = "CREATE TABLE measure (taken date NOT NULL, place int NOT NULL) PARTITION BY RANGE (taken);"
PARTITION = "CREATE TABLE measure_rest PARTITION OF measure DEFAULT;"


def test_new_partition_takes_names_of_parent(converge: Converge) -> None:
    converge(MEASURE, MEASURE + PARTITION)


def test_new_child_takes_names_of_parent(converge: Converge) -> None:
    parent = "CREATE TABLE parent (a int CONSTRAINT a_given NOT NULL);"
    converge(parent, parent + "CREATE TABLE child (b int) INHERITS (parent);")


def test_new_child_names_its_own(converge: Converge) -> None:
    parent = "CREATE TABLE parent (a int CONSTRAINT a_given NOT NULL);"
    converge(parent, parent + "CREATE TABLE child (a int CONSTRAINT mine NOT NULL) INHERITS (parent);")


def test_partitions_of_key(converge: Converge) -> None:
    old = "CREATE TABLE event (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
    new = old + "CREATE TABLE event_24 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
    converge(old, new)
    converge(new, old)


def test_table_attached_under_its_own_names(converge: Converge) -> None:
    apart = "CREATE TABLE measure_rest (taken date NOT NULL, place int CONSTRAINT somewhere NOT NULL);"
    attached = MEASURE + apart + "ALTER TABLE measure ATTACH PARTITION measure_rest DEFAULT;"
    converge(MEASURE + apart, attached)
    converge(attached, MEASURE + apart)
    converge(MEASURE, attached)
    converge("", attached)
