"""What the plugin pgoutput sends, read (documentation, "Logical Replication Message Formats", protocol version 1)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Operation = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
OPERATIONS: Mapping[str, Operation] = {"I": "INSERT", "U": "UPDATE", "D": "DELETE", "T": "TRUNCATE"}


@dataclass(frozen=True, slots=True)
class SentRelation:
    """A table as the publisher describes it; `key` are the columns of its replica identity."""

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentChange:
    """One change. Rows are values by column, as text; a column that is not sent is left out."""

    operation: Operation
    relation: SentRelation
    new: Mapping[str, str | None] | None = None
    old: Mapping[str, str | None] | None = None


@dataclass(slots=True)
class SentTransaction:
    """A transaction of the publisher. `lsn` is that of its commit, by which SKIP names it."""

    lsn: int
    xid: int
    changes: list[SentChange] = field(default_factory=list)


def transactions(messages: Iterable[bytes]) -> Iterator[SentTransaction]:
    """The transactions that the messages of a slot make up."""
    relations: dict[int, SentRelation] = {}
    current: SentTransaction | None = None
    for message in messages:
        reader = _Reader(message)
        kind = reader.letter()
        if kind == "B":
            lsn, _, xid = reader.unpack("!QqI")
            current = SentTransaction(lsn, xid)
        elif kind == "R":
            oid, relation = _relation(reader)
            relations[oid] = relation
        elif kind in OPERATIONS and current is not None:
            current.changes += _changes(kind, reader, relations)
        elif kind == "C" and current is not None:
            yield current
            current = None


def _relation(reader: _Reader) -> tuple[int, SentRelation]:
    (oid,) = reader.unpack("!I")
    schema, name = reader.text(), reader.text()
    _, count = reader.unpack("!bh")
    columns, key = [], []
    for _ in range(count):
        (flags,) = reader.unpack("!b")
        columns.append(reader.text())
        if flags & 1:
            key.append(columns[-1])
        reader.unpack("!Ii")
    # pg_catalog is sent as nothing.
    return oid, SentRelation(schema or "pg_catalog", name, tuple(columns), tuple(key))


def _changes(kind: str, reader: _Reader, relations: Mapping[int, SentRelation]) -> Iterator[SentChange]:
    if kind == "T":
        count, _ = reader.unpack("!Ib")
        for (oid,) in (reader.unpack("!I") for _ in range(count)):
            yield SentChange("TRUNCATE", relations[oid])
        return
    (oid,) = reader.unpack("!I")
    relation = relations[oid]
    rows: dict[str, Mapping[str, str | None]] = {}
    while not reader.over():
        what = reader.letter()
        rows[what] = _row(reader, relation)
    yield SentChange(OPERATIONS[kind], relation, rows.get("N"), rows.get("K") or rows.get("O"))


def _row(reader: _Reader, relation: SentRelation) -> Mapping[str, str | None]:
    (count,) = reader.unpack("!h")
    values: dict[str, str | None] = {}
    for column in relation.columns[:count]:
        match reader.letter():
            case "n":
                values[column] = None
            case "u":  # a TOASTed value that was not changed, and is not sent
                pass
            case _:
                (length,) = reader.unpack("!I")
                values[column] = reader.bytes(length).decode()
    return values


class _Reader:
    """Takes a message apart from its beginning."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 0

    def over(self) -> bool:
        return self._at >= len(self._message)

    def letter(self) -> str:
        return self.bytes(1).decode("ascii")

    def bytes(self, length: int) -> bytes:
        start, self._at = self._at, self._at + length
        return self._message[start : self._at]

    def text(self) -> str:
        end = self._message.index(b"\0", self._at)
        found = self.bytes(end - self._at).decode()
        self._at += 1
        return found

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.bytes(struct.calcsize(form)))
