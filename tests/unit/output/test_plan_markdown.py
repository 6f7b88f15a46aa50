"""The plan for a pull request."""

from __future__ import annotations

from dataclasses import replace

from novaops.output.markdown import plan_to_markdown
from novaops.output.sql import plan_to_sql
from novaops.planning.plan import Statement
from tests.unit.output.handmade_plans import EMPTY, FULL, REFUSED

GOLDEN = f"""### Plan for nova\\_memory

db1:5432 · PostgreSQL 18.4 · schema.sql

**3 to add, 1 to change, 1 to rebuild, 1 to rename, 1 to drop · 4 statements in 2 transactions, 1 outside**

```text
outside schemas
  + extension  vector

public
  + table     agent_jobs                                                              schema.sql:188
  ~ table     entities
      + column  avatar_url  text                                                       schema.sql:14
      ~ column  full_name   type: character varying(255) → text
                            default: none → ''::text
      - column  legacy_id                            ! data-loss: loses 1,198 values (of 1,204 rows)
  ± view      v_recent  rebuilt: agent_chat.message changes type
  > function  touch() → set_updated_at()                                               schema.sql:77
```

**Hazards**: each needs consent by name (`novaops apply --allow …`)

- [ ] `data-loss:public.entities.legacy_id` loses 1,198 values (of 1,204 rows)

Skipped by .pgschemaignore: `public.a`, `public.b`

<details><summary>4 statements</summary>

```sql
{plan_to_sql(FULL)}```

</details>
"""


def test_the_whole_document() -> None:
    assert plan_to_markdown(FULL) == GOLDEN


def test_nothing_to_do() -> None:
    assert plan_to_markdown(EMPTY).splitlines()[2] == "nova\\_memory matches schema.sql (1,412 objects)."


def test_an_allowed_hazard_is_ticked() -> None:
    allowed = replace(FULL.blocked[0], allowed=True)
    changes = (replace(FULL.changes[4], hazards=(allowed,)),)
    text = plan_to_markdown(replace(FULL, changes=changes, blocked=()))
    assert "- [x] `data-loss:public.entities.legacy_id`" in text


def test_backticks_do_not_end_the_code_block() -> None:
    sql = "COMMENT ON TABLE t IS '\n```\n</details>'"
    text = plan_to_markdown(replace(FULL, statements=(Statement(sql, 1, "table", "t", "alter"),)))
    assert "\n````sql\n" in text
    assert text.endswith("COMMIT;\n````\n\n</details>\n")


def test_the_query_that_shows_the_rows() -> None:
    lines = plan_to_markdown(REFUSED).splitlines()
    at = lines.index("- [ ] `foreign-key:orders_user_fkey on public.orders` 2 rows would refer to nothing")
    query = ["  ```sql", "  SELECT * FROM public.orders WHERE user_id = 'a", "  `b`';", "  ```"]
    assert lines[at + 1 : at + 5] == query
