"""The script for psql."""

from __future__ import annotations

from dataclasses import replace

from novaops.output.sql import plan_to_sql
from novaops.planning.plan import Statement
from tests.unit.output.handmade_plans import EMPTY, FULL, REFUSED

GOLDEN = r"""-- nova_memory on db1:5432 (PostgreSQL 18.4) → schema.sql
-- valid for the database with the fingerprint 5a1f
-- this script does not ask for consent; novaops apply would, for:
--   data-loss:public.entities.legacy_id
\set ON_ERROR_STOP on
SET check_function_bodies = off;

-- transaction 1
BEGIN;
SET LOCAL lock_timeout = '3s';
DROP VIEW public.v_recent;
-- ! data-loss:public.entities.legacy_id: loses 1,198 values (of 1,204 rows)
ALTER TABLE public.entities DROP COLUMN legacy_id;
COMMIT;

-- transaction 2
BEGIN;
SET LOCAL lock_timeout = '3s';
CREATE VIEW public.v_recent AS
 SELECT 1;
COMMIT;

-- outside a transaction
CREATE INDEX CONCURRENTLY entities_name_trgm ON public.entities USING gin (full_name gin_trgm_ops);
"""


def test_the_whole_script() -> None:
    assert plan_to_sql(FULL) == GOLDEN


def test_nothing_to_do_is_a_script_of_comments() -> None:
    assert all(line.startswith("-- ") for line in plan_to_sql(EMPTY).splitlines())


def test_a_name_cannot_leave_its_comment() -> None:
    text = plan_to_sql(replace(FULL, files="a\nDROP TABLE t;\n", statements=FULL.statements[:1]))
    assert "\nDROP TABLE" not in text


def test_statements_stay_as_they_are() -> None:
    sql = "COMMENT ON TABLE t IS '\x1b\u202e\t'"
    assert f"{sql};\n" in plan_to_sql(replace(FULL, statements=(Statement(sql, 1, "table", "t", "alter"),)))


def test_the_query_that_shows_the_rows() -> None:
    lines = plan_to_sql(REFUSED).splitlines()
    at = lines.index("-- ! foreign-key:orders_user_fkey on public.orders: 2 rows would refer to nothing")
    assert lines[at + 1 : at + 3] == ["--   SELECT * FROM public.orders WHERE user_id = 'a", "--   `b`';"]
