"""Indexes built while others read and write the table; not a kind itself.

CREATE INDEX CONCURRENTLY cannot run in a transaction (documentation, CREATE INDEX, "Building Indexes
Concurrently"). Where an index is to be replaced, the new one is built under another name first, so
that at no time there is none.
"""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_qualified, suffixed
from novaops.kinds.kind import Phase, Placement, Scene, Step

NEW = "__novaops_new"


def concurrently(obj: Object, definition: str, scene: Scene) -> list[Step]:
    """Statements for an index from `CREATE [UNIQUE] INDEX name …`, as `pg_get_indexdef()` writes it."""
    name = working_name(obj, scene)
    rename = f"ALTER INDEX {quote_qualified(obj.schema or '', name)} RENAME TO {obj['_quoted']}"
    return [build(obj, definition, scene), *([Step(rename)] if name != obj.name else [])]


def build(obj: Object, definition: str, scene: Scene) -> Step:
    """The statement that builds the index, ahead of everything else."""
    head, _, rest = definition.partition(f"INDEX {obj['_quoted']} ")
    name = working_name(obj, scene)
    return Step(
        f"{head}INDEX CONCURRENTLY {quote_ident(name)} {rest}",
        placement=Placement.ALONE,
        phase=Phase.PREPARE,
        index=quote_qualified(obj.schema or "", name),
        patient=True,
    )


def working_name(obj: Object, scene: Scene) -> str:
    """The name it is built under: its own, unless the old one still has that."""
    return suffixed(obj.name, NEW) if obj.address in scene.replaced else obj.name
