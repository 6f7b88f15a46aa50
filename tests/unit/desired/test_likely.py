"""The guess at an order in which statements succeed."""

import pytest

from novaops.desired.attempt import Task
from novaops.desired.classify import classify
from novaops.desired.likely import likely_order
from novaops.desired.settings import Settings
from novaops.desired.split import File, Statement, split


def guessed(text: str) -> list[int]:
    statements = [s for s in split(File.of("x.sql", text)) if isinstance(s, Statement)]
    tasks = [Task(i, s, classify(s), Settings()) for i, s in enumerate(statements)]
    return [task.index for task in likely_order(tasks)]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("CREATE TABLE a (); CREATE TABLE b ();", [0, 1]),
        ("CREATE VIEW v AS SELECT * FROM t; CREATE TABLE t ();", [1, 0]),
        ("CREATE VIEW v AS SELECT * FROM s.t; CREATE TABLE other.t (); CREATE TABLE s.t ();", [2, 0, 1]),
        ("CREATE VIEW w AS TABLE v; CREATE VIEW v AS TABLE t; CREATE TABLE t (x m); CREATE TYPE m;", [3, 2, 1, 0]),
        ("CREATE TABLE a (b b); CREATE TYPE b AS (a a); CREATE TABLE c ();", [1, 0, 2]),
        ('CREATE VIEW v AS TABLE "T"; CREATE TABLE t (); CREATE TABLE "T" ();', [2, 0, 1]),
        ("COMMENT ON TABLE t IS 'v'; CREATE VIEW v AS TABLE t; CREATE TABLE t ();", [2, 0, 1]),
    ],
)  # fmt: skip
def test_what_makes_a_name_comes_before_what_mentions_it(text: str, order: list[int]) -> None:
    assert guessed(text) == order
