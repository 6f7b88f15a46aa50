"""Plans made by hand, as the planner would make them."""

from __future__ import annotations

from novaops.diagnostics import Source
from novaops.planning.plan import Guard, Hazard, Plan, PlannedChange, Statement, Target

TARGET = Target("nova_memory", "db1", 5432, "nova", "18.4 (Debian 18.4-1)", "7391")
LOSS = Hazard(
    "data-loss", "H101", "public.entities.legacy_id", "loses 1,198 values (of 1,204 rows)", 1198, 1204
)
ENTITIES = {"schema": "public", "container": "public.entities", "container_kind": "table"}

FULL = Plan(
    target=TARGET,
    source_fingerprint="5a1f",
    desired_fingerprint="77c0",
    changes=(
        PlannedChange("create", "extension", "vector", None, "vector"),
        PlannedChange(
            "create", "table", "public.agent_jobs", "public", "agent_jobs", source=Source("schema.sql", 188, 14)
        ),
        PlannedChange(
            "create", "column", "public.entities.avatar_url", name="avatar_url", detail=("text",),
            source=Source("schema.sql", 14), **ENTITIES,
        ),
        PlannedChange(
            "alter", "column", "public.entities.full_name", name="full_name",
            detail=("type: character varying(255) → text", "default: none → ''::text"), **ENTITIES,
        ),
        PlannedChange(
            "drop", "column", "public.entities.legacy_id", name="legacy_id", hazards=(LOSS,), **ENTITIES
        ),
        PlannedChange(
            "replace", "view", "public.v_recent", "public", "v_recent",
            detail=("rebuilt: agent_chat.message changes type",),
        ),
        PlannedChange(
            "rename", "function", "public.touch()", "public", "touch", detail=("→ set_updated_at()",),
            source=Source("schema.sql", 77),
        ),
    ),
    statements=(
        Statement("DROP VIEW public.v_recent", 1, "view", "public.v_recent", "replace"),
        Statement(
            "ALTER TABLE public.entities DROP COLUMN legacy_id", 1, "column", "public.entities.legacy_id", "drop",
            locks=("ACCESS EXCLUSIVE",), hazards=(LOSS,),
            guards=(Guard("data-loss", "public.entities", "SELECT EXISTS (SELECT FROM public.entities)"),),
        ),
        Statement("CREATE VIEW public.v_recent AS\n SELECT 1", 2, "view", "public.v_recent", "replace"),
        Statement(
            "CREATE INDEX CONCURRENTLY entities_name_trgm ON public.entities USING gin (full_name gin_trgm_ops)",
            None, "index", "public.entities_name_trgm", "create", rewrites=("public.entities",),
        ),
    ),
    blocked=(LOSS,),
    skipped=("public.a", "public.b"),
    files="schema.sql",
    file_statements=412,
    shadow_seconds=0.94,
    objects=1412,
    options={"scope": "schemas"},
)  # fmt: skip

ORPHANS = Hazard(
    "foreign-key", "H113", "orders_user_fkey on public.orders", "2 rows would refer to nothing", 2,
    query="SELECT * FROM public.orders WHERE user_id = 'a\n`b`'",
)  # fmt: skip
REFUSED = Plan(
    TARGET, "5a1f", "77c0", files="schema.sql",
    changes=(PlannedChange("create", "constraint", "orders_user_fkey on public.orders", hazards=(ORPHANS,)),),
    statements=(
        Statement("ALTER TABLE public.orders ADD …", 1, "constraint", ORPHANS.object, "create", hazards=(ORPHANS,)),
    ),
    blocked=(ORPHANS,),
)  # fmt: skip
EMPTY = Plan(TARGET, "5a1f", "5a1f", files="schema.sql", objects=1412)
