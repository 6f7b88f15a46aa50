"""The .sql files of the package, fitted to the server that runs them."""

from __future__ import annotations

import re
from collections.abc import Set

# `i.indnullsnotdistinct /*if pg_index: boolean*/`: a column that only newer servers have, and its type.
NEWER_COLUMN = re.compile(r"\b\w+\.(?P<column>\w+) /\*if (?P<catalog>\w+): (?P<type>[^*]+)\*/")


def for_server(sql: str, columns: Set[tuple[str, str]]) -> str:
    """Put a typed NULL where the server's catalogs lack a column that the query marks as newer.

    `columns` are the (catalog, column) pairs that the server has, from `pg_attribute`.
    """

    def fit(match: re.Match[str]) -> str:
        known = (match["catalog"], match["column"]) in columns
        return match[0] if known else f"NULL::{match['type'].strip()}"

    return NEWER_COLUMN.sub(fit, sql)
