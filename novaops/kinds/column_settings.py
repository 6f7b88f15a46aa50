"""What ALTER COLUMN sets on a column beside its type; not a kind itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.foreign_options import altered
from novaops.kinds.kind import Phase, Step
from novaops.kinds.options import changed_options
from novaops.kinds.words import STORAGE

COMPRESSION = {"p": "pglz", "l": "lz4"}
TYPE = frozenset({"type", "collation"})
"""Attributes that ALTER … TYPE changes."""


def only(obj: Object, clause: str) -> Step:
    """A setting that each table of an inheritance tree has for itself."""
    return Step(f"ALTER TABLE ONLY {obj['_relation']} ALTER COLUMN {obj['_quoted']} {clause}")


def compression(obj: Object) -> Step:
    return only(obj, f"SET COMPRESSION {COMPRESSION.get(obj['compression'], 'default')}")


def not_null_comment(obj: Object) -> Step:
    """What is said of an inherited NOT NULL, when it is there by its name (PostgreSQL 18)."""
    text = "NULL" if obj["not_null_comment"] is None else quote_literal(obj["not_null_comment"])
    constraint = f"CONSTRAINT {obj['_not_null_name']} ON {obj['_relation']}"
    return Step(f"COMMENT ON {constraint} IS {text}", phase=Phase.FINISH, patient=True)


def set_back(new: Object, changed: frozenset[str]) -> frozenset[str]:
    """What it is to have that ALTER … TYPE, of its own or of its parent, sets back to the type's.

    See ATExecAlterColumnType() in src/backend/commands/tablecmds.c.
    """
    retyped = changed & TYPE and not new["_view"]
    return frozenset(name for name in ("storage", "compression") if retyped and new[name] is not None)


def settings(old: Mapping[str, Any], new: Object, changed: frozenset[str]) -> list[Step]:
    """Statements for what each table of an inheritance tree has for itself."""
    steps = []
    if "storage" in changed:
        steps.append(only(new, f"SET STORAGE {STORAGE[new['storage'] or new['_type_storage']]}"))
    if "statistics" in changed:
        # -1 is the default, until PostgreSQL 16 the only word for it.
        target = -1 if new["statistics"] is None else new["statistics"]
        steps.append(only(new, f"SET STATISTICS {target}"))
    if "fdw_options" in changed:
        steps.append(only(new, altered(old["fdw_options"], new["fdw_options"]).strip()))
    if "options" in changed:
        assign, reset = changed_options(old["options"], new["options"])
        if assign:
            steps.append(only(new, f"SET ({', '.join(f'{k}={v}' for k, v in assign.items())})"))
        if reset:
            steps.append(only(new, f"RESET ({', '.join(reset)})"))
    return steps
