"""Asks PostgreSQL whether it can parse statements; nothing is executed.

A Parse message is answered when the statement has been parsed (documentation, section 54.2.3, "Extended Query").
What is a utility statement is parsed and no more: its names are looked up when it is executed. So is the query in
PREPARE, which is why queries are sent in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.execution.pre_migrations.files import secret

QUERIES = frozenset(["SELECT", "VALUES", "WITH", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "("])
"""How a statement begins that PREPARE takes (documentation of PREPARE)."""
WRAPPER = "PREPARE novaops AS "
ANALYSED = frozenset(["EXPLAIN", "DECLARE", "CALL"])
"""Statements whose names are looked up with Parse (src/backend/parser/analyze.c, transformStmt)."""
PARSER = frozenset(["scan.l", "gram.y", "parser.c"])
"""Source files of PostgreSQL's parser: other errors depend on what is in the database by then."""


def check_syntax(connection: psycopg.Connection[Any], statements: Iterable[Statement]) -> None:
    """Raise `DiagnosticsError` with every statement that PostgreSQL cannot parse; autocommit only."""
    problems = list(_problems(connection, statements))
    if problems:
        raise DiagnosticsError(problems)


def _problems(connection: psycopg.Connection[Any], statements: Iterable[Statement]) -> Iterator[Diagnostic]:
    encoding = connection.info.encoding
    for statement in statements:
        if statement.words[0] in ANALYSED or _creates_from_query(statement):
            continue
        before = WRAPPER if statement.words[0] in QUERIES else ""
        result = connection.pgconn.prepare(b"", f"{before}{statement.text}".encode(encoding))
        if result.status != ExecStatus.FATAL_ERROR:
            continue

        def field_text(field: DiagnosticField, result: psycopg.pq.abc.PGresult = result) -> str:
            return (result.error_field(field) or b"").decode(encoding, "replace")

        if field_text(DiagnosticField.SOURCE_FILE).rpartition("/")[2] in PARSER:
            at = max(0, int(field_text(DiagnosticField.STATEMENT_POSITION) or 1) - 1 - len(before))
            hidden = secret(statement)  # the message quotes what is near
            yield statement.file.diagnostic(
                statement.start + min(at, len(statement.text) - 1),
                "syntax error" if hidden else field_text(DiagnosticField.MESSAGE_PRIMARY),
                code=field_text(DiagnosticField.SQLSTATE),
                hint=field_text(DiagnosticField.MESSAGE_HINT) or None,
                secret=hidden,
            )


def _creates_from_query(statement: Statement) -> bool:
    """Whether it is CREATE TABLE AS or CREATE MATERIALIZED VIEW, whose queries are analysed with Parse."""
    if statement.words[0] != "CREATE" or {"TABLE", "MATERIALIZED"}.isdisjoint(statement.words[1:4]):
        return False
    depth = 0
    for _, word in statement.tokens():
        depth += (word == "(") - (word == ")")
        if word == "AS" and depth == 0:
            return True
    return False
