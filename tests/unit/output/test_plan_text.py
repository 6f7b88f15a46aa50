"""What people read, character by character."""

from __future__ import annotations

from dataclasses import replace

from novaops.invocation import GivenOption, repeating
from novaops.output.text import render_plan
from novaops.planning.plan import PlannedChange, Statement
from tests.unit.output.handmade_plans import EMPTY, FULL, REFUSED

GOLDEN = """\
nova_memory on db1:5432 · PostgreSQL 18.4
  schema.sql (412 statements, shadow 0.9 s)
skipped  2 objects by .pgschemaignore · unmanaged: none

outside schemas
  + extension  vector

public
  + table     agent_jobs                                          schema.sql:188
  ~ table     entities
      + column  avatar_url  text                                   schema.sql:14
      ~ column  full_name   type: character varying(255) → text
                            default: none → ''::text
      - column  legacy_id        ! data-loss: loses 1,198 values (of 1,204 rows)
  ± view      v_recent  rebuilt: agent_chat.message changes type
  > function  touch() → set_updated_at()                           schema.sql:77

3 to add, 1 to change, 1 to rebuild, 1 to rename, 1 to drop
  4 statements in 2 transactions, 1 outside

── transaction 1 ───────────────────────────────────────────────────────────────
  1  DROP VIEW public.v_recent;
  2  ALTER TABLE public.entities DROP COLUMN legacy_id;         ACCESS EXCLUSIVE
       ! data-loss:public.entities.legacy_id
           loses 1,198 values (of 1,204 rows)
── transaction 2 ───────────────────────────────────────────────────────────────
  3  CREATE VIEW public.v_recent AS
      SELECT 1;
── outside a transaction ───────────────────────────────────────────────────────
  4  CREATE INDEX CONCURRENTLY entities_name_trgm ON public.entities USING gin (full_name gin_trgm_ops);
                                                        rewrites public.entities

blocked  data-loss:public.entities.legacy_id
next     novaops apply --allow data-loss:public.entities.legacy_id
"""


def test_the_whole_plan_at_80_columns() -> None:
    assert render_plan(FULL) == GOLDEN


def test_every_line_fits_but_sql() -> None:
    long = [line for line in render_plan(FULL).splitlines() if len(line) > 80]
    assert [line.split()[1] for line in long] == ["CREATE"]


def test_a_wide_terminal_is_used() -> None:
    lines = render_plan(FULL, width=120).splitlines()
    assert lines[0].endswith("schema.sql (412 statements, shadow 0.9 s)")
    assert max(len(line) for line in lines if line.startswith("──")) == 120


def test_nothing_to_do() -> None:
    assert render_plan(EMPTY) == "nova_memory matches schema.sql (1,412 objects).\n"


def test_nothing_to_do_still_names_what_was_not_looked_at() -> None:
    text = render_plan(replace(EMPTY, unmanaged=("text search parser public.p",)))
    assert text == (
        "nova_memory matches schema.sql (1,412 objects).\n"
        "skipped  none · unmanaged: 1\n"
        "           text search parser public.p\n"
    )


def test_the_command_can_be_pasted() -> None:
    loss = replace(FULL.blocked[0], object='public."it\'s $(odd)".x')
    file = GivenOption(("--file",), ("--file", "my schema.sql"))
    with repeating(lambda *_: [file]):
        text = render_plan(replace(FULL, blocked=(loss,)))
    assert text.splitlines()[-1] == (
        "next     novaops apply --file 'my schema.sql' --allow 'data-loss:public.\"it'\"'\"'s $(odd)\".x'"
    )


def test_consent_is_not_proposed_where_it_would_not_help() -> None:
    refused = replace(FULL.blocked[0], hazard="not-null", code="H111", object="public.t.a")
    lines = render_plan(replace(FULL, blocked=(*FULL.blocked, refused))).splitlines()[-6:]
    assert lines == [
        "blocked  data-loss:public.entities.legacy_id",
        "         not-null:public.t.a",
        "fix      the rows that PostgreSQL would refuse, for instance in pre-migrations/0001_fix_rows.sql, which apply"
        " runs first:",
        f"           -- not-null:public.t.a: {refused.query or refused.message}",
        "           UPDATE … SET … WHERE …;",
        "then     novaops apply --allow data-loss:public.entities.legacy_id",
    ]


def test_without_a_hazard_only_the_next_command_is_shown() -> None:
    assert render_plan(replace(FULL, blocked=())).splitlines()[-2:] == ["", "next     novaops apply"]


def test_nothing_reaches_the_terminal_raw() -> None:
    evil = "\x1b]0;owned\x07\u202etxt.\x9b31m\r\n"
    plan = replace(
        FULL,
        changes=(
            PlannedChange("create", "table", f"public.{evil}", "public", evil, detail=(evil,)),
            PlannedChange("create", "schema", evil, evil, evil),
        ),
        statements=(
            Statement(f"COMMENT ON TABLE t IS '{evil}'", 1, "table", "public.t", "alter", locks=(evil,)),
        ),
        unmanaged=(evil,),
        notices=(evil,),
        files=evil,
    )
    text = render_plan(plan)
    assert not set(text) & set("\x1b\x07\u202e\x9b\r")
    assert r"\x1b]0;owned\x07\u202etxt.\x9b31m\r" in text


def test_objects_of_the_same_identity_and_different_operations_are_all_shown() -> None:
    twice = (
        PlannedChange("drop", "view", "public.v", "public", "v"),
        PlannedChange("create", "table", "public.v", "public", "v"),
    )
    assert "- view   v\n  + table  v\n" in render_plan(replace(FULL, changes=twice))


def test_a_hazard_beside_a_source_goes_below() -> None:
    loss = replace(FULL.changes[4], source=FULL.changes[1].source, operation="alter")
    lines = render_plan(replace(FULL, changes=(loss,))).splitlines()
    at = next(i for i, line in enumerate(lines) if "~ column" in line)
    assert lines[at].endswith("schema.sql:188")
    assert lines[at + 1].strip() == "! data-loss: loses 1,198 values (of 1,204 rows)"


def test_the_query_that_shows_the_rows() -> None:
    lines = render_plan(REFUSED).splitlines()
    at = lines.index("       ! foreign-key:orders_user_fkey on public.orders")
    assert lines[at + 1 : at + 4] == [
        "           2 rows would refer to nothing",
        "           see SELECT * FROM public.orders WHERE user_id = 'a",
        "           `b`';",
    ]
