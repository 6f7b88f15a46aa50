"""What files say about roles, which belong to the whole server: it is left out where it is so already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from novaops.desired.classify import classify
from novaops.desired.lexer import folded
from novaops.desired.rules import Action
from novaops.desired.split import Statement

LEFT_OUT = "left out: it is so already, and roles are not managed"

Claim = tuple[str, str | None]
"""A role that is to exist, or with a second one, that is to be its member."""

_KNOWN = """
SELECT rolname::text, NULL FROM pg_catalog.pg_roles
UNION ALL
SELECT r.rolname::text, m.rolname::text
FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles r ON r.oid = a.roleid
JOIN pg_catalog.pg_roles m ON m.oid = a.member
"""


def fulfilled(connection: psycopg.Connection[Any], statements: Sequence[Statement]) -> frozenset[int]:
    """Which of the statements, by their place among them, ask for roles and members that there are."""
    asked = {i: found for i, statement in enumerate(statements) if (found := claims(statement))}
    if not asked:
        return frozenset()
    known = set(connection.cursor(row_factory=tuple_row).execute(_KNOWN).fetchall())
    return frozenset(i for i, found in asked.items() if known.issuperset(found))


def claims(statement: Statement) -> list[Claim]:
    """What a statement that would be refused asks for; nothing when it asks for more than that."""
    if classify(statement).action is not Action.REFUSE:
        return []
    words = [word for _, word in statement.tokens()]
    if words[0] == "CREATE" and words[1] in ("ROLE", "USER", "GROUP") and len(words) > 2:
        return [(folded(words[2]), None)]
    if words[0] != "GRANT" or "TO" not in words or not {"ON", "WITH", "GRANTED"}.isdisjoint(words):
        return []
    to = words.index("TO")
    return [(folded(role), folded(member)) for role in words[1:to:2] for member in words[to + 1 :: 2]]
