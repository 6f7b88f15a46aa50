"""Storage parameters end in the order in which a new object would have them: pg_dump shows it."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

FORMS = {
    "table": "CREATE TABLE t (a text) WITH ({})",
    "view": "CREATE VIEW v WITH ({}) AS SELECT 1 AS a",
    "materialized view": "CREATE MATERIALIZED VIEW m WITH ({}) AS SELECT 1 AS a",
}
BOTH = "autovacuum_enabled=off, fillfactor=70, toast.autovacuum_enabled=off"


@pytest.mark.parametrize("kind", ["table", "materialized view"])
def test_parameters_of_tables(converge: Converge, kind: str) -> None:
    form = FORMS[kind].format
    converge(form("fillfactor=70, autovacuum_enabled=off"), form("autovacuum_enabled=off, fillfactor=70"))
    converge(form("fillfactor=70"), form(BOTH))
    converge(form(BOTH), form("autovacuum_enabled=on, fillfactor=70"))
    converge("", form("toast.vacuum_index_cleanup=off, fillfactor=70, autovacuum_enabled=off"))


def test_only_what_differs_is_set(converge: Converge) -> None:
    form = FORMS["table"].format
    done = converge(
        form("fillfactor=70, autovacuum_enabled=off"), form("fillfactor=70, autovacuum_enabled=on")
    )
    assert done == ["ALTER TABLE public.t SET (autovacuum_enabled='on')"]


def test_parameters_of_views(converge: Converge) -> None:
    form = FORMS["view"].format
    converge(form("security_invoker, security_barrier"), form("security_barrier, security_invoker"))
    converge(form("security_barrier, security_invoker"), form("security_invoker"))
    converge("", form("security_invoker, security_barrier"))


def test_parameters_of_indexes(converge: Converge) -> None:
    old = "CREATE TABLE t (a int, UNIQUE (a) WITH (deduplicate_items=off, fillfactor=70));"
    new = "CREATE TABLE t (a int, UNIQUE (a) WITH (fillfactor=70, deduplicate_items=off));"
    converge(old, new)
    form = "CREATE TABLE t (a int); CREATE INDEX i ON t (a) WITH ({})".format
    converge(form("deduplicate_items=off, fillfactor=70"), form("fillfactor=80, deduplicate_items=off"))
