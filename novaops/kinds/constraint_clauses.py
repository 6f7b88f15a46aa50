"""The clauses of a constraint, in the order of the grammar; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.kinds import storage_parameters
from novaops.kinds.levels import NOT_NULL

FOREIGN_KEY = "f"


def definition(obj: Object) -> str:
    """The whole definition, in the order of the grammar's ColConstraint and ConstraintElem."""
    text = obj["definition"]
    if parameters := storage_parameters.given(obj):
        text += f" {parameters}"
    if obj["tablespace"]:
        text += f" USING INDEX TABLESPACE {obj['tablespace']}"
    if obj["predicate"]:
        text += f" WHERE ({obj['predicate']})"
    if obj["no_inherit"]:
        text += " NO INHERIT"
    text += timing(obj)
    if not obj["enforced"]:
        text += " NOT ENFORCED"
    elif not obj["validated"]:
        text += " NOT VALID"
    return str(text)


def timing(obj: Object) -> str:
    words = ["DEFERRABLE"] * obj["deferrable"] + ["INITIALLY DEFERRED"] * obj["deferred"]
    return "".join(f" {word}" for word in words)


def altered_clauses(new: Object, changed: frozenset[str]) -> list[str] | None:
    """What ALTER CONSTRAINT can set; None when something that it cannot set differs."""
    clauses = []
    if changed & {"deferrable", "deferred"}:
        if new["type"] != FOREIGN_KEY:
            return None
        clauses.append("DEFERRABLE" if new["deferrable"] else "NOT DEFERRABLE")
        if new["deferrable"]:
            clauses.append("INITIALLY DEFERRED" if new["deferred"] else "INITIALLY IMMEDIATE")
    if "enforced" in changed:
        # ENFORCED reads the rows there and then: it leads to a validated constraint only.
        if new["type"] != FOREIGN_KEY or (new["enforced"] and not new["validated"]):
            return None
        clauses.append("ENFORCED" if new["enforced"] else "NOT ENFORCED")
    elif "validated" in changed and not new["validated"]:
        return None
    if "no_inherit" in changed:
        if new["type"] != NOT_NULL:
            return None
        clauses.append("NO INHERIT" if new["no_inherit"] else "INHERIT")
    return clauses
