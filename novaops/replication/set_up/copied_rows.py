"""Rows that a set-up has copied into a table that was empty, taken out again when it fails."""

from __future__ import annotations

from psycopg.sql import SQL, Identifier

from novaops.replication.declaration import ReplicatedTable
from novaops.replication.pair import Pair
from novaops.replication.proof.compare import CHUNK
from novaops.replication.proof.rows import Key, Range, Rows, reader, shape


def is_empty(pair: Pair, table: ReplicatedTable) -> bool:
    """Whether the target has no row of it."""
    with reader(pair.target.endpoint) as target:
        found = target.execute(
            SQL("SELECT EXISTS (SELECT FROM {})").format(Identifier(table.schema, table.name))
        ).fetchone()
    return found is not None and not found[0]


def remove(pair: Pair, table: ReplicatedTable) -> int:
    """Delete the rows that are equal on both sides: the copy's; what somebody has written since stays."""
    deleted = 0
    with reader(pair.source.endpoint) as source, reader(pair.target.endpoint) as target:
        seen = shape(source, table)
        ours, theirs = Rows(source, seen), Rows(target, seen, filtered=False)
        if not seen.key:
            return 0
        low: Key | None = None
        while True:
            high = theirs.boundary(Range(low), CHUNK)
            there = theirs.versions(Range(low, high))
            here = ours.versions_of(list(there))
            equal = [key for key, version in there.items() if key in here and here[key].hash == version.hash]
            if equal:
                with target.transaction():
                    target.execute("SET LOCAL session_replication_role = replica")
                    target.execute(
                        SQL("DELETE FROM {} WHERE {}").format(theirs.relation, theirs.among()),
                        theirs.arrays(equal),
                    )
                deleted += len(equal)
            if high is None:
                return deleted
            low = high
