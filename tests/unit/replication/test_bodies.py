"""Names in bodies of functions."""

from __future__ import annotations

import pytest

from novaops.replication.bodies import Name, Named, named_in, search_path

BODY = """
DECLARE
    v_count int := lower_count(NEW.name); -- FROM a_comment
BEGIN
    INSERT INTO audit SELECT * FROM public.log JOIN "Other Table" o ON o.id = log.id;
    UPDATE ONLY mine SET a = 'FROM a_string' WHERE id = other.f(1);
    RETURN NULL;
END
"""


def test_names_with_and_without_a_schema() -> None:
    relations, functions = named_in(BODY)
    assert {n.name for n in relations if n.schema is None} == {"audit", "Other Table", "only", "mine"}
    assert {n for n in relations if n.schema is not None} == {Name("public", "log")}
    assert functions == {Name(None, "lower_count"), Name("other", "f")}


def test_a_body_that_does_not_end() -> None:
    assert named_in("INSERT INTO t VALUES ('…") == Named()


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ((), None),
        (("work_mem=1MB",), None),
        (('search_path=pg_catalog, "Mixed, Case", Public',), ("pg_catalog", "Mixed, Case", "public")),
        (('search_path=""',), ("",)),
    ],
)
def test_the_search_path_of_a_function(settings: tuple[str, ...], path: tuple[str, ...] | None) -> None:
    assert search_path(settings) == path
