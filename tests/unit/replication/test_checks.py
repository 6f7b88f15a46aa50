"""What the pre-flight reads out of texts: names in bodies of functions, types that take another's values."""

from __future__ import annotations

import pytest

from novaops.replication.checks.functions import named_in
from novaops.replication.checks.shape import takes
from novaops.replication.checks.tables import filter_columns

BODY = """
DECLARE
    v_count int := lower_count(NEW.name); -- FROM a_comment
BEGIN
    INSERT INTO audit SELECT * FROM public.log JOIN "Other Table" o ON o.id = log.id;
    UPDATE ONLY mine SET a = 'FROM a_string' WHERE id = other.f(1);
    RETURN NULL;
END
"""


def test_names_without_a_schema() -> None:
    relations, functions = named_in(BODY)
    assert relations == {"audit", "Other Table", "only", "mine"}
    assert functions == {"lower_count"}


def test_a_body_that_does_not_end() -> None:
    assert named_in("INSERT INTO t VALUES ('…") == (set(), set())


@pytest.mark.parametrize(
    ("source", "target", "fits"),
    [
        ("integer", "integer", True),
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("character varying(10)", "character varying(20)", True),
        ("character varying(20)", "character varying(10)", False),
        ("character varying", "character varying(10)", False),
        ("character varying(10)", "text", True),
        ("text", "character varying(10)", False),
        ("json", "jsonb", True),
        ("timestamp with time zone", "date", False),
    ],
)
def test_types_that_take_the_values_of_others(source: str, target: str, fits: bool) -> None:
    assert takes(source, target) is fits


def test_columns_of_a_filter() -> None:
    assert filter_columns("""id > 3 AND "Sender" = 'id2' -- c""") == ["id", "and", "Sender"]
