"""Keeps deparsed text what it was: PostgreSQL reads some of its own text as another expression.

`status IN ('a', 'b')` over varchar is stored as a cast of the whole array, and deparsed as
`(ARRAY['a'::character varying, …])::text[]`. Read again, the cast is pushed down into the elements
(src/backend/parser/parse_expr.c, transformTypeCast), and deparsed as
`ARRAY[('a'::character varying)::text, …]`: equal in meaning, but another catalog and another dump,
for ever. With the type of the array written in between, as in `(ARRAY[…]::character varying[])::text[]`,
the text says what is stored.

A column of a query that has no name of its own is deparsed without AS where its name does not matter
(outermost in a BEGIN ATOMIC body, in a subquery of an expression): `SELECT 'x'` as `SELECT 'x'::text`.
Read again, the cast gives the column a name (src/backend/parser/parse_target.c, FigureColname), and it
is deparsed as `SELECT 'x'::text AS text`. Written as `AS "?column?"`, the name that it has, it stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from novaops.desired.lexer import LexicalError, Token, tokens

# What ends the output list of a query, in the spelling of ruleutils.c.
ENDS = frozenset({
    "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET",
    "FETCH", "FOR", ";",
})  # fmt: skip
# Words that go on with the name of a type (format_type).
TYPE_WORDS = frozenset({"varying", "precision", "with", "without", "time", "zone"})
TYPE_SIGNS = frozenset(".,()[]")


def faithful(sql: str) -> str:
    """The statement, written so that casts of whole arrays and nameless columns stay what they are."""
    queries = "SELECT" in sql or "RETURNING" in sql
    if not any(cast in sql for cast in ("])::", "]::")) and not (
        queries and ("'::" in sql or "NULL::" in sql)
    ):
        return sql
    try:
        found = list(tokens(sql))
    except LexicalError:
        return sql
    inserted = [place for i in range(len(found)) if (place := _array_type(sql, found, i))]
    inserted += [(end, ' AS "?column?"') for i in range(len(found)) for end in _nameless(sql, found, i)]
    for offset, text in sorted(inserted, reverse=True):
        sql = sql[:offset] + text + sql[offset:]
    return sql


def read_again(sql: str) -> str:
    """The text as it would be if PostgreSQL had read it once more: with casts of arrays in their elements.

    So a database that was restored from a dump is told to be the one that was dumped.
    """
    at = 0
    while "])::" in sql:
        try:
            found = list(tokens(sql))
        except LexicalError:
            return sql
        casts = ((i, cast) for i in range(at, len(found)) if (cast := _cast_array(sql, found, i)))
        first, cast = next(casts, (0, None))
        if cast is None:
            return sql
        at, (start, end, text) = first, cast
        sql = sql[:start] + text + sql[end:]
    return sql


def _cast_array(sql: str, found: Sequence[Token], at: int) -> tuple[int, int, str] | None:
    """For a `(ARRAY[…])::` that begins at token `at`: from where to where it reaches, and what it becomes."""
    words = [sql[t.start : t.end] for t in found[at : at + 3]]
    if words != ["(", "ARRAY", "["]:
        return None
    elements, end = _elements(sql, found, at + 2)
    after = [sql[t.start : t.end] for t in found[end + 1 : end + 3]]
    length = _type_length(sql, found[end + 3 :])
    if after != [")", "::"] or not length or [] in elements:
        return None
    last = found[end + 2 + length]
    name = sql[found[end + 3].start : last.end].removesuffix("[]")
    cast = (f"({sql[element[0].start : element[-1].end]})::{name}" for element in elements)
    return found[at].start, last.end, f"ARRAY[{', '.join(cast)}]"


def _type_length(sql: str, found: Sequence[Token]) -> int:
    """How many tokens the name of an array type takes that they begin with; 0 when they do not."""
    length, depth = 0, 0
    words = [sql[t.start : t.end] for t in found]
    for index, (token, word) in enumerate(zip(found, words, strict=True)):
        named = token.kind in ("word", "quoted")
        goes_on = index == 0 or words[index - 1] == "." or word in TYPE_WORDS
        depth += word in ("(", "[")
        if not (
            (named and goes_on) or (word in TYPE_SIGNS and (depth or word == ".")) or token.kind == "number"
        ):
            break
        depth -= word in (")", "]")
        length = index + 1
    return length if words[max(0, length - 2) : length] == ["[", "]"] else 0


def _array_type(sql: str, found: Sequence[Token], at: int) -> tuple[int, str] | None:
    """For an `ARRAY[…]` at token `at` that is cast as a whole: where its own type goes, and that type.

    That is `(ARRAY[…])::`, or without parentheses in text for people, as that of statistics is.
    """
    if [sql[t.start : t.end] for t in found[at : at + 2]] != ["ARRAY", "["]:
        return None
    elements, end = _elements(sql, found, at + 1)
    after = [sql[t.start : t.end] for t in found[end + 1 : end + 3]]
    types = {_type(sql, element) for element in elements}
    if (after != [")", "::"] and after[:1] != ["::"]) or len(types) != 1 or None in types:
        return None
    cast = f"::{types.pop()}[]"
    return None if sql.startswith(cast, found[end].end) else (found[end].end, cast)


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


def _nameless(sql: str, found: Sequence[Token], at: int) -> Iterator[int]:
    """For a SELECT or RETURNING at token `at`: where the constants in its output end that have no name."""
    if sql[found[at].start : found[at].end] not in ("SELECT", "RETURNING"):
        return
    words = [sql[t.start : t.end] for t in found[at + 1 : at + 3]]
    distinct = words[:1] == ["DISTINCT"] and words[1:] != ["ON"]
    depth, column = 0, list[Token]()
    for token in found[at + 1 + distinct :]:
        text = sql[token.start : token.end]
        depth += text in ("(", "[")
        depth -= text in (")", "]")
        last = depth < 0 or (depth == 0 and text in ENDS)
        if not last and (depth > 0 or text != ","):
            column.append(token)
            continue
        if _constant(sql, column):
            yield column[-1].end
        if last:
            return
        column = []


def _constant(sql: str, column: Sequence[Token]) -> bool:
    """Whether this is a constant and its type, and nothing else."""
    words = [sql[t.start : t.end] for t in column]
    if len(column) < 3 or not (column[0].kind == "string" or words[0] == "NULL") or words[1] != "::":
        return False
    name, *rest = ["name" if t.kind in ("word", "quoted") else t.kind for t in column[2:]]
    return name == "name" and all(
        kind == "number" or word in TYPE_SIGNS or (kind == "name" and (before == "." or word in TYPE_WORDS))
        for kind, word, before in zip(rest, words[3:], words[2:], strict=False)
    )


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
