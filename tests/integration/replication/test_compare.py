"""Rows of both sides are compared, and made equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from novaops.errors import NovaopsError
from novaops.replication.declaration import ReplicatedTable
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare
from novaops.replication.proof.repair import repair
from novaops.replication.proof.verify import verify
from novaops.replication.set_up import set_up

from .acting import Chat, compared, execute, rebuilt
from .conftest import replication


def test_rows_that_differ_are_named_and_repaired(running: Chat) -> None:
    _, target, declared = running
    execute(
        target,
        "DELETE FROM agent_chat WHERE id IN (5, 6)",
        "UPDATE agent_chat SET message = 'other' WHERE id = 7",
        "INSERT INTO agent_chat VALUES (1000, 'x', 'too many')",
    )
    with open_pair(declared) as pair:
        seen = compare(pair, declared, chunk=10)[0]
        assert (seen.missing, seen.different, seen.extra, seen.equal) == (2, 1, 1, False)
        assert [(d.kind, d.key) for d in seen.shown] == [
            ("missing", ("5",)),
            ("missing", ("6",)),
            ("different", ("7",)),
            ("extra", ("1000",)),
        ]
        proof = verify(pair, declared)
        assert not proof.proven
        assert [f.name for f in proof.findings] == ["rows-differ"]
        mended = compare(pair, declared, chunk=10, repair=repair)[0]
        assert (mended.repaired, mended.equal) == (4, True)
    assert compared(declared).equal


def test_only_what_is_replicated_is_compared(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    execute(
        source,
        "CREATE TABLE t (a text, b int, kind text, secret text, PRIMARY KEY (a, b, kind))",
        "INSERT INTO t SELECT 'Ä' || g, g, CASE WHEN g % 2 = 0 THEN '100%' ELSE 'no' END, 's' FROM generate_series(1, 60) g",
    )
    execute(target, "CREATE TABLE t (kind text, b int, a text, own int, PRIMARY KEY (a, b, kind))")
    table = ReplicatedTable("public", "t", ("a", "b", "kind"), "kind LIKE '100%'")
    declared = replication(source, target, for_servers(source), table)
    with open_pair(declared) as pair:
        set_up(pair, declared)
        execute(target, "INSERT INTO t VALUES ('no', 1, 'local row', 7)")
        seen = compare(pair, declared, chunk=7)[0]
        assert (seen.source_rows, seen.target_rows, seen.equal) == (30, 30, True)
        execute(target, "DELETE FROM t WHERE b = 4")
        assert compare(pair, declared, chunk=7, repair=repair)[0].repaired == 1
        assert compare(pair, declared)[0].equal


def test_a_table_without_a_key_is_compared_as_a_whole(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        execute(url, "CREATE TABLE t (a int); ALTER TABLE t REPLICA IDENTITY FULL")
    execute(source, "INSERT INTO t SELECT generate_series(1, 10)")
    declared = replication(source, target, for_servers(source), ReplicatedTable("public", "t"))
    with open_pair(declared) as pair:
        set_up(pair, declared)
        assert compare(pair, declared)[0].equal
        execute(target, "UPDATE t SET a = 11 WHERE a = 10")
        seen = compare(pair, declared)[0]
        assert (seen.key, seen.equal) == ((), False)
        with pytest.raises(NovaopsError, match="has no key"):
            compare(pair, declared, repair=repair)
    with pytest.raises(NovaopsError, match="has no key"):
        rebuilt(declared)


def test_rows_behind_row_security_are_not_taken_for_missing(
    running: Chat, new_database: Callable[..., str]
) -> None:
    source, _, declared = running
    role = f"limited_{declared.slot[-8:]}"
    execute(
        source,
        f"CREATE ROLE {role} LOGIN SUPERUSER",
        "ALTER TABLE agent_chat ENABLE ROW LEVEL SECURITY",
        f"ALTER ROLE {role} NOSUPERUSER",
        f"GRANT SELECT ON agent_chat TO {role}",
    )
    try:
        with open_pair(declared) as pair:
            from novaops.replication.proof.rows import SETTINGS, Range, Rows, shape

            limited = pair.source.connection
            limited.execute(SETTINGS)
            limited.execute(f"SET SESSION AUTHORIZATION {role}")
            with pytest.raises(NovaopsError, match="cannot read all rows"):
                Rows(limited, shape(limited, declared.tables[0])).sum(Range())
    finally:
        execute(source, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
