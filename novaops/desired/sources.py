"""Where in the files each object was declared, told from cmin and xmin of its rows in the catalogs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from importlib.resources import files

from novaops.catalog.address import Address, Oid
from novaops.catalog.snapshot import Snapshot
from novaops.desired.attempt import MARKS, PREPARED, Session, Task
from novaops.desired.lexer import folded
from novaops.desired.names import declared
from novaops.desired.split import Statement
from novaops.diagnostics import Source


def makers(session: Session, tasks: Sequence[Task]) -> dict[Oid, Statement]:
    """The statement that made each row of the catalogs.

    Statements that ran together share a transaction, whose subtransactions have the ids after its own;
    their commands in it lie between the mark before them and their own mark.
    """
    statements = {task.index: task.statement for task in tasks}
    query = files("novaops.desired").joinpath("sources.sql").read_text()
    # One transaction for both: age() counts from where the server's transaction ids stand at its start.
    with session.connection.transaction():
        marks = session.execute(f"SELECT -age(xmin), cmin::text::bigint, task FROM {MARKS} ORDER BY 1, 2")
        together: dict[int, tuple[list[int], list[int]]] = {}
        for made, command, task in marks:
            commands, numbers = together.setdefault(made, ([], []))
            commands.append(command)
            numbers.append(task)
        rows = session.execute(query).fetchall()
    transactions = list(together)
    found = {}
    for classid, objid, objsubid, made, command in rows:
        at = bisect_right(transactions, made) - 1
        if at < 0:
            continue
        commands, numbers = together[transactions[at]]
        place = bisect_left(commands, command) if command is not None else 0
        if place < len(numbers) and (command is not None or len(numbers) == 1) and numbers[place] != PREPARED:
            found[Oid(classid, objid, objsubid)] = statements[numbers[place]]
    return found


def sources(
    snapshot: Snapshot, made: Mapping[Oid, Statement], tasks: Sequence[Task]
) -> dict[Address, Source]:
    """The place of each object of the snapshot that a statement of the files made."""
    named = {
        (d.kind.lower(), d.names): t.statement for t in tasks if (d := declared(t.statement)) is not None
    }
    columns: dict[str, dict[int, dict[str, Source]]] = {}
    found: dict[Address, Source] = {}
    for oid, address in snapshot.claims.items():
        statement = made.get(oid) or named.get((address.type, address.names))
        if statement is None:
            continue
        if oid.objsubid:
            table = made.get(Oid(oid.classid, oid.objid), statement)
            if table.start not in columns.setdefault(table.file.name, {}):
                columns[table.file.name][table.start] = _columns(table)
            # One that was added later stands in the statement that added it.
            place = columns[table.file.name][table.start].get(address.names[-1])
            found[address] = place or statement.source
        else:
            found[address] = statement.source
    return found


def _columns(table: Statement) -> dict[str, Source]:
    """The places of names that begin an element of the outermost parentheses: columns, if it has any."""
    depth, before, text = 0, "", table.text
    found: dict[str, Source] = {}
    for token, word in table.tokens():
        if depth == 1 and before in ("(", ",") and token.kind in ("word", "quoted"):
            name = folded(text[token.start : token.end])
            found.setdefault(name, table.file.source(table.start + token.start))
        depth += 1 if word == "(" else -1 if word == ")" else 0
        before = word
    return found
