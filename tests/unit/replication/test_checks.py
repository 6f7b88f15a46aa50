"""What the pre-flight reads out of texts: types that take another's values, columns of a filter."""

from __future__ import annotations

import pytest

from novaops.replication.checks.shape import takes
from novaops.replication.checks.tables import filter_columns


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
