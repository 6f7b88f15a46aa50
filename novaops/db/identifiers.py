"""Identifiers quoted as PostgreSQL's `quote_ident()` does."""

from __future__ import annotations

import re
from collections.abc import Iterable

# `pg_get_keywords()` of PostgreSQL 18 where catcode is not "U": these are quoted even in lower case.
KEYWORDS = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "authorization",
        "between",
        "bigint",
        "binary",
        "bit",
        "boolean",
        "both",
        "case",
        "cast",
        "char",
        "character",
        "check",
        "coalesce",
        "collate",
        "collation",
        "column",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "dec",
        "decimal",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "exists",
        "extract",
        "false",
        "fetch",
        "float",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "grant",
        "greatest",
        "group",
        "grouping",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "inout",
        "int",
        "integer",
        "intersect",
        "interval",
        "into",
        "is",
        "isnull",
        "join",
        "json",
        "json_array",
        "json_arrayagg",
        "json_exists",
        "json_object",
        "json_objectagg",
        "json_query",
        "json_scalar",
        "json_serialize",
        "json_table",
        "json_value",
        "lateral",
        "leading",
        "least",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "merge_action",
        "national",
        "natural",
        "nchar",
        "none",
        "normalize",
        "not",
        "notnull",
        "null",
        "nullif",
        "numeric",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "out",
        "outer",
        "overlaps",
        "overlay",
        "placing",
        "position",
        "precision",
        "primary",
        "real",
        "references",
        "returning",
        "right",
        "row",
        "select",
        "session_user",
        "setof",
        "similar",
        "smallint",
        "some",
        "substring",
        "symmetric",
        "system_user",
        "table",
        "tablesample",
        "then",
        "time",
        "timestamp",
        "to",
        "trailing",
        "treat",
        "trim",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "values",
        "varchar",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
        "xmlattributes",
        "xmlconcat",
        "xmlelement",
        "xmlexists",
        "xmlforest",
        "xmlnamespaces",
        "xmlparse",
        "xmlpi",
        "xmlroot",
        "xmlserialize",
        "xmltable",
    ]
)
SAFE = re.compile(r"[a-z_][a-z0-9_]*")


def quote_ident(name: str) -> str:
    """The identifier, in double quotes only where it needs them."""
    if SAFE.fullmatch(name) and name not in KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_qualified(*names: str) -> str:
    """A qualified name: `schema.table`."""
    return ".".join(map(quote_ident, names))


def quote_literal(value: str) -> str:
    """A string constant, as `quote_literal()` writes it."""
    text = value.replace("'", "''")
    return f"E'{text}'".replace("\\", "\\\\") if "\\" in text else f"'{text}'"


def do_block(lines: Iterable[str], declare: str = "") -> str:
    """A DO statement of PL/pgSQL, in a dollar quote that does not end within its lines, whatever names these hold."""
    body = "\n".join(f"    {line}" for line in lines)
    tag = "novaops"
    while f"${tag}$" in body:
        tag += "_"
    return f"DO ${tag}$ {declare}BEGIN\n{body}\nEND ${tag}$"


def object_name(table: str, column: str, label: str) -> str:
    """The name that the server gives to a NOT NULL constraint or a sequence of a column.

    The longer of the two names is cut first (makeObjectName(), src/backend/commands/indexcmds.c).
    """
    first, second = table.encode(), column.encode()
    room = 63 - len(label.encode()) - 2
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
    return "_".join([first.decode(errors="ignore"), second.decode(errors="ignore"), label])


def suffixed(name: str, suffix: str) -> str:
    """The name with the suffix, cut in between to fit an identifier (NAMEDATALEN - 1 bytes)."""
    room = 63 - len(suffix.encode())
    return name.encode()[:room].decode(errors="ignore") + suffix
