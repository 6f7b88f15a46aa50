from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

TREE = """
CREATE TABLE owner (id int PRIMARY KEY);
CREATE TYPE tone AS ENUM ({labels});
CREATE TABLE note (k {key} NOT NULL, o int REFERENCES owner, v text, CHECK (o > 0), PRIMARY KEY (k)) PARTITION BY LIST (k);
CREATE TABLE note_1 PARTITION OF note FOR VALUES IN ({first});
CREATE TABLE note_2 PARTITION OF note DEFAULT PARTITION BY LIST (k);
CREATE TABLE note_21 PARTITION OF note_2 DEFAULT;
CREATE INDEX ON note (v);
CREATE VIEW low AS SELECT * FROM note_1;
CREATE TABLE about (k {key} REFERENCES note);
GRANT SELECT ON note_1 TO PUBLIC;
COMMENT ON TABLE note_1 IS 'first'
"""
ROWS = """
INSERT INTO owner VALUES (7);
INSERT INTO note VALUES ({first}, 7, 'a'), ({second}, 7, 'b');
INSERT INTO about VALUES ({first})
"""
INT = {"labels": "'x', 'y'", "key": "int", "first": "1", "second": "2"}
TONE = {"labels": "'x', 'y'", "key": "tone", "first": "'x'", "second": "'y'"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (INT, {**INT, "key": "bigint"}),
        ({**INT, "key": "bigint"}, INT),
        (TONE, {**TONE, "labels": "'y', 'x'"}),
    ],
    ids=["wider", "narrower", "the enum's labels in another order"],
)
def test_partitions_keep_their_rows_when_the_type_of_the_key_changes(
    converge: Converge, old: dict[str, str], new: dict[str, str]
) -> None:
    kept = "SELECT count(*) = 2, (SELECT count(*) = 1 FROM about) FROM note"
    converge(TREE.format(**old), TREE.format(**new), rows=ROWS.format(**old), check=kept)
