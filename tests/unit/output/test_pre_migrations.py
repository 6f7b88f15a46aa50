"""Pre-migrations in every form of a plan."""

from __future__ import annotations

from dataclasses import replace

from novaops.output.json import plan_from_json, plan_to_json
from novaops.output.markdown import plan_to_markdown
from novaops.output.sql import plan_to_sql
from novaops.output.text import render_plan
from novaops.planning.hazard_codes import with_consent
from novaops.planning.plan import Hazard, PreMigration, ScriptStatement
from tests.unit.output.handmade_plans import EMPTY, FULL

LOSS = Hazard("data-loss", "H101", "pre-migrations/0003_fix.sql:12", "DELETE removes rows")
FILES = (
    PreMigration(
        "0003_fix.sql", "pre-migrations/0003_fix.sql", "pre", "ab" * 32, "pending",
        statements=(ScriptStatement("DELETE FROM a", 12),), hazards=(LOSS,),
    ),
    PreMigration("0004_index.sql", "it's/0004_index.sql", "pre", "cd" * 32, "interrupted", transactional=False),
    PreMigration("0005_fill.post.sql", "pre-migrations/0005_fill.post.sql", "post", "ef" * 32, "pending"),
)  # fmt: skip
PLAN = replace(FULL, pre_migrations=FILES, blocked=(LOSS, *FULL.blocked), predicted_fingerprint="9a9a")
TEXT = """\
pre-migrations
  0003_fix.sql        (pending)  1 statement
      ! data-loss:pre-migrations/0003_fix.sql:12
          DELETE removes rows
  0004_index.sql      (interrupted)  0 statements, outside a transaction
  0005_fill.post.sql  (pending, after the apply)  0 statements

"""


def test_text_shows_them_before_everything_else() -> None:
    text = render_plan(PLAN)
    assert TEXT in text
    assert text.index(TEXT) < text.index("+ extension")
    assert text.endswith(
        "--allow data-loss:pre-migrations/0003_fix.sql:12 --allow data-loss:public.entities.legacy_id\n"
    )


def test_text_of_a_plan_without_statements() -> None:
    text = render_plan(replace(EMPTY, pre_migrations=FILES[1:], predicted_fingerprint="9a9a"))
    assert "matches schema.sql (1,412 objects), once the pre-migrations have run.\n" in text
    assert text.endswith("\nnext     novaops apply\n")


def test_where_it_is_not_known_what_they_leave_they_are_run_first() -> None:
    text = render_plan(replace(PLAN, predicted_fingerprint=None))
    assert text.endswith("\n\nnext     novaops migrations run\n")
    assert "blocked" not in text


def test_json_and_back() -> None:
    assert plan_from_json(plan_to_json(PLAN)) == PLAN


def test_consent_is_marked_in_the_file() -> None:
    allowed = with_consent(PLAN, {"data-loss:pre-migrations/0003_fix.sql:12": ""})
    assert [h.allowed for m in allowed.pre_migrations for h in m.hazards] == [True]
    assert [h.consent for h in allowed.blocked] == ["data-loss:public.entities.legacy_id"]
    assert "- [x] `data-loss:pre-migrations/0003_fix.sql:12`" in plan_to_markdown(allowed)


def test_a_pending_hazard_says_so() -> None:
    pending = replace(FULL.blocked[0], pending=True)
    plan = replace(
        FULL,
        changes=(replace(FULL.changes[4], hazards=(pending,)),),
        statements=FULL.statements[:1],
        blocked=(),
    )
    assert "loses 1,198 values (of 1,204 rows) (pending)" in render_plan(plan, 120)
    assert plan.pending_hazards == (pending,)


def test_the_script_includes_them_where_they_run() -> None:
    lines = plan_to_sql(PLAN).splitlines()
    first = lines.index(r"\i 'pre-migrations/0003_fix.sql'")
    assert lines[first - 1 : first + 3] == ["BEGIN;", lines[first], "COMMIT;", "RESET ALL;"]
    second = lines.index(r"\i 'it\'s/0004_index.sql'")
    assert lines[second - 1].startswith("-- 0004_index.sql")
    assert first < second < lines.index("DROP VIEW public.v_recent;")
    assert lines.index("DROP VIEW public.v_recent;") < lines.index(r"\i 'pre-migrations/0005_fill.post.sql'")
