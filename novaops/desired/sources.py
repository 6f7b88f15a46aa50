"""Where in the files each object was declared, told from the xmin of its rows in the catalogs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from importlib.resources import files

from novaops.catalog.address import Address, Oid
from novaops.catalog.snapshot import Snapshot
from novaops.desired.attempt import MARKS, Session, Task
from novaops.desired.lexer import folded
from novaops.desired.split import Statement
from novaops.diagnostics import Source


def makers(session: Session, tasks: Sequence[Task]) -> dict[Oid, Statement]:
    """The statement that made each row of the catalogs.

    Transaction ids are given out in order, a subtransaction's after its parent's, so whatever a
    statement did in subtransactions of its own lies between its mark and the next one.
    """
    statements = {task.index: task.statement for task in tasks}
    marks = session.execute(f"SELECT -age(xmin), task FROM {MARKS} ORDER BY 1").fetchall()
    times = [at for at, _ in marks]
    query = files("novaops.desired").joinpath("sources.sql").read_text()
    found = {}
    for classid, objid, objsubid, made in session.execute(query).fetchall():
        at = bisect_left(times, -made)
        if at == len(times) or times[at] != -made:
            at -= 1
        if at >= 0:
            found[Oid(classid, objid, objsubid)] = statements[marks[at][1]]
    return found


def sources(snapshot: Snapshot, made: Mapping[Oid, Statement]) -> dict[Address, Source]:
    """The place of each object of the snapshot that a statement of the files made."""
    found: dict[Address, Source] = {}
    for oid, address in snapshot.claims.items():
        statement = made.get(oid)
        if statement is None:
            continue
        if oid.objsubid:
            table = made.get(Oid(oid.classid, oid.objid), statement)
            found[address] = _column(address.names[-1], table, statement)
        else:
            found[address] = statement.source
    return found


def _column(name: str, table: Statement, altered: Statement) -> Source:
    """The place of a column's name in the statement that made its table, or in the later one."""
    depth = 0
    before = ""
    for token, word in table.tokens():
        text = table.text[token.start : token.end]
        if depth == 1 and before in ("(", ",") and token.kind in ("word", "quoted") and folded(text) == name:
            return table.file.source(table.start + token.start)
        depth += 1 if word == "(" else -1 if word == ")" else 0
        before = word
    return altered.source
