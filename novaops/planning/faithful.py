"""Keeps deparsed text what it was: PostgreSQL reads some of its own text as another expression.

`status IN ('a', 'b')` over varchar is stored as a cast of the whole array, and deparsed as
`(ARRAY['a'::character varying, …])::text[]`. Read again, the cast is pushed down into the elements
(src/backend/parser/parse_expr.c, transformTypeCast), and deparsed as
`ARRAY[('a'::character varying)::text, …]`: equal in meaning, but another catalog and another dump,
for ever. With the type of the array written in between, as in `(ARRAY[…]::character varying[])::text[]`,
the text says what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from novaops.desired.lexer import LexicalError, Token, tokens


def faithful(sql: str) -> str:
    """The statement, with casts of whole arrays written so that they stay casts of whole arrays."""
    if "])::" not in sql:
        return sql
    try:
        found = list(tokens(sql))
    except LexicalError:
        return sql
    inserted = [place for i in range(len(found)) if (place := _array_type(sql, found, i))]
    for offset, text in sorted(inserted, reverse=True):
        sql = sql[:offset] + text + sql[offset:]
    return sql


def _array_type(sql: str, found: Sequence[Token], at: int) -> tuple[int, str] | None:
    """For a `(ARRAY[…])::` that begins at token `at`: where its own type goes, and that type."""
    words = [sql[t.start : t.end] for t in found[at : at + 3]]
    if len(words) < 3 or words[0] != "(" or words[1] != "ARRAY" or words[2] != "[":
        return None
    elements, end = _elements(sql, found, at + 2)
    after = [sql[t.start : t.end] for t in found[end + 1 : end + 3]]
    types = {_type(sql, element) for element in elements}
    if after != [")", "::"] or len(types) != 1 or None in types:
        return None
    return found[end].end, f"::{types.pop()}[]"


def _elements(sql: str, found: Sequence[Token], opening: int) -> tuple[list[list[Token]], int]:
    """The elements within the bracket at `opening`, and the index of the bracket that closes it."""
    elements: list[list[Token]] = [[]]
    depth = 0
    for index in range(opening, len(found)):
        text = sql[found[index].start : found[index].end]
        depth += text in ("(", "[")
        depth -= text in (")", "]")
        if depth == 0:
            return elements, index
        if depth == 1 and text == ",":
            elements.append([])
        elif index > opening:
            elements[-1].append(found[index])
    return elements, len(found) - 1


def _type(sql: str, element: Sequence[Token]) -> str | None:
    """The type that an element shows: that of its outermost cast, or of a number."""
    depth, cast = 0, None
    for index, token in enumerate(element):
        text = sql[token.start : token.end]
        depth += text in ("(", "[")
        depth -= text in (")", "]")
        if depth == 0 and token.kind == "cast":
            cast = index
    if cast is not None and cast + 1 < len(element):
        return sql[element[cast + 1].start : element[-1].end]
    if len(element) == 1 and element[0].kind == "number":
        text = sql[element[0].start : element[0].end]
        return "numeric" if not text.isdigit() else "integer" if int(text) < 1 << 31 else "bigint"
    return None
