"""Modes of the triggers by which PostgreSQL enforces a constraint (`pg_trigger.tgenabled`); not a kind itself.

ALTER TABLE … DISABLE TRIGGER ALL switches them off too, and pg_dump does not say so. Their names are made of
oids, so no statement that is written beforehand can name them.
"""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import do_block, quote_literal
from novaops.kinds.kind import Step
from novaops.kinds.words import MODES

FIRING = {"O", "A"}
"""Modes in which they fire for everybody's changes."""


def unwatched(old: Object, new: Object) -> bool:
    """Whether rows came without being checked that are to be checked from now on, those that are there too."""
    before, after = _modes(old), _modes(new)
    return any(mode not in FIRING and after.get(key, "O") in FIRING for key, mode in before.items())


def set_modes(old: Object | None, new: Object) -> list[Step]:
    """Statements that give the triggers their modes; only superusers may."""
    before, after = {} if old is None else _modes(old), _modes(new)
    due = {key: after.get(key, "O") for key in sorted({**before, **after})}
    values = ", ".join(
        f"({quote_literal(relation)}::regclass, {quote_literal(function)}, {quote_literal(MODES[mode])})"
        for (relation, function), mode in due.items()
        if before.get((relation, function), "O") != mode
    )
    if not values:
        return []
    lines = [
        "FOR command IN",
        "    WITH RECURSIVE parts AS (",
        "        SELECT oid, conrelid FROM pg_catalog.pg_constraint",
        f"        WHERE conrelid = {quote_literal(new['_relation'])}::regclass AND conname = {quote_literal(new.name)}",
        "        UNION ALL",
        "        SELECT c.oid, c.conrelid FROM parts p",
        "        JOIN pg_catalog.pg_constraint c ON c.conparentid = p.oid AND c.conrelid = p.conrelid",
        "    )",
        "    SELECT format('ALTER TABLE ONLY %s %s TRIGGER %I', t.tgrelid::regclass, m.mode, t.tgname)",
        "    FROM parts p JOIN pg_catalog.pg_trigger t ON t.tgconstraint = p.oid AND t.tgisinternal",
        "    JOIN pg_catalog.pg_proc f ON f.oid = t.tgfoid",
        f"    JOIN (VALUES {values}) AS m (relation, function, mode)",
        "        ON m.relation = t.tgrelid AND m.function = f.proname",
        "LOOP EXECUTE command; END LOOP;",
    ]
    return [Step(do_block(lines, "DECLARE command text; "))]


def _modes(obj: Object) -> dict[tuple[str, str], str]:
    return {(relation, function): mode for relation, function, mode in obj["trigger_modes"] or ()}
