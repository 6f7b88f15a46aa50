"""Tells from its text whether a statement destroys something; the only place that asks sqlglot's parser.

The parser is used to warn, never to learn what a statement means: what it does not know (an opaque
`Command`, a kind of statement without a rule here) is unknown, and unknown is never harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from novaops.desired.dropped import Dropped, dropped
from novaops.desired.lexer import folded
from novaops.desired.split import Statement

if TYPE_CHECKING:
    from sqlglot import exp

LOSS, UNKNOWN = "data-loss", "behaviour"
# Commands that change nothing that is stored, though the parser may not know them.
HARMLESS = frozenset(
    ["SET", "RESET", "SHOW", "LOCK", "ANALYZE", "ANALYSE", "VACUUM", "REINDEX", "CHECKPOINT"]
)
# What takes rows, values or the position of a sequence along when it is dropped.
HOLDS_DATA = frozenset(["TABLE", "SCHEMA", "SEQUENCE", "TYPE", "DOMAIN", "DATABASE", "EXTENSION", "OWNED"])
DROP_COLUMN = "DROP COLUMN"
OPAQUE = "what it does cannot be told from its text"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`hazard` with `what` it is, or None; `calls` are the names of what it may call when it runs.

    `opaque` are those calls that are no function of SQL or of PostgreSQL that the parser knows; who
    asks the server about them must take a function that is not there yet for unknown. `drops` are the objects
    whose drop is all that it destroys.
    """

    hazard: str | None = None
    what: str = ""
    calls: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()
    drops: tuple[Dropped, ...] = ()


def judge(statement: Statement) -> Judgement:
    """What the statement may destroy, as far as its text tells."""
    words = statement.words
    if words[0] in HARMLESS:
        return Judgement()
    if words[0] == "DROP" and not HOLDS_DATA.isdisjoint(words[1:2]):
        return Judgement(LOSS, f"DROP {words[1]}", drops=dropped(statement))
    tree = _parsed(statement.text)
    found = [(UNKNOWN, OPAQUE)] if tree is None else list(_found(tree))
    losses = [what for hazard, what in found if hazard == LOSS]
    if losses:
        drops = dropped(statement) if words[0] == "DROP" or set(losses) == {DROP_COLUMN} else ()
        return Judgement(LOSS, ", ".join(dict.fromkeys(losses)), _called(statement), drops=drops)
    if tree is None or found:
        return Judgement(UNKNOWN, f"{_command(words)}: {OPAQUE}", _called(statement))
    if not _runs_expressions(tree):
        return Judgement()
    calls, unknown = _called(statement), _anonymous(tree)
    return Judgement(calls=calls, opaque=frozenset(name for name in calls if name.lower() in unknown))


def _parsed(text: str) -> exp.Expr | None:
    """The one statement in the text; None where the parser does not know it."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every Command
    try:
        trees = sqlglot.parse(text, read="postgres")
    except (SqlglotError, RecursionError):
        return None
    if len(trees) != 1 or trees[0] is None or isinstance(trees[0], exp.Command):
        return None
    return trees[0]


def _found(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """(hazard, what) for everything in the statement that destroys or is not known."""
    from sqlglot import exp

    match tree:
        case exp.Drop():
            yield from _cascading(tree)
        case exp.Alter():
            for action in tree.args.get("actions") or [None]:
                yield from _altered(action)
        case exp.TruncateTable():
            yield LOSS, f"TRUNCATE removes all rows of {', '.join(map(_table, tree.expressions))}"
        case exp.Query() | exp.Values() | exp.Insert() | exp.Update() | exp.Delete() | exp.Merge():
            yield from _written(tree)
        case exp.Create():
            if _runs_expressions(tree):
                yield from _written(tree)
        case exp.Comment() | exp.Grant() | exp.Set() | exp.Analyze():
            pass
        case _:
            yield UNKNOWN, OPAQUE


def _written(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """What a query or a change of rows destroys, in its WITH clauses too."""
    from sqlglot import exp

    for node in tree.find_all(exp.Delete, exp.Update, exp.When, exp.Command):
        match node:
            case exp.Delete():
                yield LOSS, f"DELETE removes rows of {_table(node.this)}"
            case exp.Update() if not isinstance(node.parent, exp.When | exp.OnConflict):
                if node.args.get("where") is None:
                    yield LOSS, f"UPDATE without WHERE overwrites all rows of {_table(node.this)}"
            case exp.When() if str(node.args.get("then")).upper().startswith("DELETE"):
                merge = node.find_ancestor(exp.Merge)
                yield LOSS, f"MERGE removes rows of {_table(merge.this) if merge else 'its target'}"
            case exp.Command():
                yield UNKNOWN, OPAQUE


def _table(node: exp.Expr) -> str:
    """The name of the table as it is written, without an alias."""
    from sqlglot import exp

    table = node if isinstance(node, exp.Table) else node.find(exp.Table)
    if table is None:
        return node.sql("postgres")
    return ".".join(part.sql("postgres") for part in table.parts)


def _cascading(tree: exp.Drop) -> Iterator[tuple[str, str]]:
    if tree.args.get("cascade"):
        yield LOSS, f"DROP {tree.args['kind']} … CASCADE drops whatever depends on it"


def _altered(action: exp.Expr | None) -> Iterator[tuple[str, str]]:
    from sqlglot import exp

    match action:
        case exp.Drop():
            kind = str(action.args.get("kind")).upper()
            if kind == "COLUMN":
                yield LOSS, DROP_COLUMN
            elif kind == "CONSTRAINT":
                yield from _cascading(action)
            else:
                yield UNKNOWN, OPAQUE
        case exp.AlterColumn():
            if action.args.get("dtype") is not None:
                table = _table(action.parent) if action.parent else "a table"
                yield LOSS, f"column {action.this.sql('postgres')} of {table} gets another type"
        case exp.ColumnDef() | exp.AddConstraint() | exp.RenameColumn() | exp.AlterRename():
            pass
        case _:
            yield UNKNOWN, OPAQUE


def _runs_expressions(tree: exp.Expr) -> bool:
    """Whether expressions in it are evaluated when it runs: not those of a view or a default."""
    from sqlglot import exp

    if not isinstance(tree, exp.Create):
        return not isinstance(tree, exp.Drop | exp.Comment | exp.Grant)
    kind = str(tree.args.get("kind")).upper()
    filled = kind == "VIEW" and tree.find(exp.MaterializedProperty) is not None
    return (kind == "TABLE" or filled) and isinstance(tree.expression, exp.Query)


def _anonymous(tree: exp.Expr) -> frozenset[str]:
    """Functions that the parser does not know, in lower case: it has not kept how they were written."""
    from sqlglot import exp

    return frozenset(node.name.lower() for node in tree.find_all(exp.Anonymous))


def _called(statement: Statement) -> frozenset[str]:
    """Names before an opening parenthesis, by PostgreSQL's own tokens; many of them are no functions."""
    found = statement.tokens()
    return frozenset(
        folded(name)
        for (token, name), (_, after) in pairwise(found)
        if after == "(" and token.kind in ("word", "quoted")
    )


def _command(words: tuple[str, ...]) -> str:
    return " ".join(words[:2]) if words[0] in ("CREATE", "ALTER", "DROP", "REFRESH") else words[0]
