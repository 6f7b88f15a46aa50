"""A read-only replica takes rows from its source, and from nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from novaops.errors import NovaopsError
from novaops.replication.declaration import ReplicatedTable, Replication
from novaops.replication.pair import open_pair
from novaops.replication.proof.compare import compare
from novaops.replication.repairs.teardown import teardown
from novaops.replication.set_up import read_only, set_up
from novaops.replication.status import status

from .acting import CONSENT, Chat, compared, execute, found, names, run, write
from .conftest import replication
from .test_cut_off import killed, killed_at_write


def test_a_read_only_replica_refuses_everybody_but_the_worker(chat: Chat) -> None:
    source, target, declared = chat
    guarded = replace(declared, read_only=True)
    execute(source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'before')")
    with open_pair(guarded) as pair:
        set_up(pair, guarded)
        execute(
            source,
            "INSERT INTO agent_chat (sender, message) VALUES ('a', 'after')",
            "DELETE FROM agent_chat WHERE id = 1",
        )
        assert compare(pair, guarded)[0].equal
        for statement in (
            "INSERT INTO agent_chat (sender, message) VALUES ('x', 'x')",
            "UPDATE agent_chat SET message = 'x'",
            "DELETE FROM agent_chat",
            "TRUNCATE agent_chat",
        ):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="read-only replica"):
                execute(target, statement)
        execute(target, "ALTER TABLE agent_chat DISABLE TRIGGER novaops_read_only")
        assert "not-read-only" in [f.name for f in status(guarded).findings]
        assert [done.name for done in set_up(pair, guarded).done] == ["read only"]
    teardown(guarded)
    execute(target, "DELETE FROM agent_chat")


def test_a_table_that_the_set_up_makes_is_guarded_by_the_same_set_up(chat: Chat) -> None:
    source, target, declared = chat
    write(source, 3)
    execute(target, "DROP TABLE agent_chat", "DROP FUNCTION notify_agent_chat()")
    guarded = replace(declared, read_only=True)
    assert "read only" in names(run(guarded))
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="read-only replica"):
        execute(target, "INSERT INTO agent_chat VALUES (777, 'x', 'x')")
    assert compared(guarded).equal
    assert names(run(guarded)) == []


# -- rights -------------------------------------------------------------------------------------

ROLES = ("owner", "writer", "lender", "borrower")


@pytest.fixture
def roles(server_url: str) -> Iterator[dict[str, str]]:
    """Four roles by what they are; they are the server's, so each test has its own."""
    names = {role: f"{role}_{secrets.token_hex(4)}" for role in ROLES}
    execute(server_url, *(f"CREATE ROLE {name}" for name in names.values()))
    yield names
    with psycopg.connect(server_url, autocommit=True) as connection:
        databases = connection.execute(
            "SELECT DISTINCT d.datname FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid"
            " JOIN pg_roles r ON r.oid = s.refobjid WHERE r.rolname = ANY (%s)",
            [list(names.values())],
        ).fetchall()
        for (database,) in databases:
            execute(make_conninfo(server_url, dbname=database), f"DROP OWNED BY {', '.join(names.values())}")
        connection.execute(f"DROP ROLE {', '.join(names.values())}")


@pytest.fixture
def granted(chat: Chat, roles: dict[str, str]) -> Chat:
    """The chat, whose target others than its owner, who is no superuser, may write to in every way there is."""
    _, target, declared = chat
    execute(
        target,
        "ALTER TABLE agent_chat OWNER TO {owner}".format(**roles),
        "GRANT SELECT, INSERT, DELETE ON agent_chat TO {writer}".format(**roles),
        "GRANT UPDATE (message), INSERT (sender), SELECT (id) ON agent_chat TO PUBLIC",
        "GRANT INSERT, UPDATE (sender), TRUNCATE ON agent_chat TO {lender} WITH GRANT OPTION".format(**roles),
        "SET ROLE {lender}; GRANT INSERT, TRUNCATE ON agent_chat TO {borrower};"
        " GRANT UPDATE (sender) ON agent_chat TO {borrower}; RESET ROLE".format(**roles),
        "GRANT REFERENCES, TRIGGER ON agent_chat TO {writer}".format(**roles),
    )
    return *chat[:2], replace(declared, read_only=True)


def acl(url: str) -> set[str]:
    """Every entry that there is, of the tables and their columns."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT c.relname || ': ' || unnest(c.relacl)::text FROM pg_class c WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') UNION ALL SELECT c.relname || '.' || a.attname || ': ' || unnest(a.attacl)::text"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()
    return {text for (text,) in rows}


def letters(url: str) -> set[str]:
    """The privileges that others than the owner have."""
    return {
        letter
        for entry in acl(url)
        for letter in entry.partition("=")[2].partition("/")[0]
        if not entry.partition(": ")[2].startswith("owner_")
    }


def test_rights_to_write_are_taken_and_rows_still_arrive(granted: Chat, roles: dict[str, str]) -> None:
    source, target, declared = granted
    write(source, 3)
    outcome = run(declared)
    (said,) = [done.text for done in outcome.done if done.name == "read only"]
    assert f"INSERT, TRUNCATE, UPDATE (sender) on agent_chat of {roles['lender']}" in said
    assert "UPDATE (message), INSERT (sender) on agent_chat of PUBLIC" in said
    assert letters(target) == {"r", "x", "t"}, "what does not write is left"
    execute(
        source,
        "INSERT INTO agent_chat VALUES (900, 'a', 'after')",
        "UPDATE agent_chat SET message = 'changed' WHERE id = 1",
        "DELETE FROM agent_chat WHERE id = 2",
    )
    assert compared(declared).equal
    assert run(declared).done == ()
    for role, error in (
        ("writer", psycopg.errors.InsufficientPrivilege),
        ("borrower", psycopg.errors.InsufficientPrivilege),
        ("owner", psycopg.errors.ReadOnlySqlTransaction),
    ):
        with pytest.raises(error):
            execute(target, f"SET ROLE {roles[role]}; TRUNCATE agent_chat")


def test_teardown_gives_them_back_as_they_were(granted: Chat) -> None:
    _, target, declared = granted
    before = acl(target)
    run(declared)
    assert acl(target) != before
    result = teardown(declared)
    assert acl(target) == before
    assert len(result.given) == 1
    assert result.left == []
    assert teardown(declared).given == []


def test_so_does_taking_it_out_of_the_declaration(granted: Chat) -> None:
    _, target, declared = granted
    before = acl(target)
    run(declared)
    open_again = replace(declared, read_only=False)
    # Flags cannot say that it is read-only: they do not take it back either.
    assert run(replace(open_again, in_file=False)).done == ()
    (done,) = run(open_again).done
    assert done.name == "read only"
    assert done.text.startswith("agent_chat takes writes again; given back: ")
    assert acl(target) == before
    execute(target, "UPDATE agent_chat SET message = 'mine'")
    assert run(open_again).done == ()


def test_a_run_that_fails_gives_back_what_it_took(granted: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    _, target, declared = granted

    def no(*_: object, **__: object) -> None:
        raise NovaopsError("no proof")

    before = acl(target)
    with monkeypatch.context() as patched:
        patched.setattr("novaops.replication.set_up.run.verify", no)
        with pytest.raises(NovaopsError, match="no proof"):
            run(declared)
    assert acl(target) == before
    with psycopg.connect(target) as connection:
        assert not read_only.remembered(connection, declared)

    run(declared)
    refused = acl(target)
    # The other way round: what a run had given back it takes again.
    with monkeypatch.context() as patched:
        patched.setattr("novaops.replication.set_up.run.verify", no)
        with pytest.raises(NovaopsError, match="no proof"):
            run(replace(declared, read_only=False))
    assert acl(target) == refused
    assert run(declared).done == ()
    teardown(declared)
    assert acl(target) == before


def test_a_right_that_came_back_is_told_and_taken_again(granted: Chat, roles: dict[str, str]) -> None:
    _, target, declared = granted
    before = acl(target)
    run(declared)
    execute(target, "GRANT INSERT ON agent_chat TO {writer}".format(**roles))
    finding, _ = found(declared, "not-read-only")
    assert finding.message.endswith(f"may be written to: INSERT on agent_chat of {roles['writer']}")
    assert names(run(declared)) == ["read only"]
    assert "not-read-only" not in [f.name for f in status(declared).findings]
    execute(target, "GRANT UPDATE ON agent_chat TO {borrower}".format(**roles))
    run(declared)
    teardown(declared)
    new = {f"agent_chat: {roles['borrower']}=w/{roles['owner']}"}
    assert acl(target) - before == new, "what was granted meanwhile was taken as well, and comes back"
    assert before - acl(target) == set()


def test_roles_and_columns_that_are_gone_are_named(
    granted: Chat, roles: dict[str, str], server_url: str
) -> None:
    _, target, declared = granted
    run(declared)
    execute(target, "DROP OWNED BY {borrower}".format(**roles), "DROP ROLE {borrower}".format(**roles))
    try:
        result = teardown(declared)
    finally:
        execute(server_url, "CREATE ROLE {borrower}".format(**roles))
    assert f"of {roles['borrower']}" in result.left[-1]
    assert f"of {roles['lender']}" in result.given[0]


# Rows are compared; rows are brought into line; rights were taken.
SOME = (3, 18, 21)
LAST = 27
"""The first moment at which the set-up has come to its end."""
SOME_WRITES = (16, 30)
LAST_WRITE = 51


@pytest.fixture
def in_the_way(granted: Chat) -> Chat:
    """With rows in the way as well: the longest set-up there is."""
    source, target, _ = granted
    write(source, 20)
    execute(target, "INSERT INTO agent_chat VALUES (1, 'a', 'old'), (900, 'b', 'own')")
    return granted


def goes_on(declared: Replication) -> None:
    """Whatever a run has left, the same command comes to the end, and teardown to the beginning."""
    run(declared, allow=(CONSENT,))
    assert run(declared).done == ()
    assert compared(declared).equal


@pytest.mark.parametrize("moment", range(1, LAST + 1))
def test_killed_at_any_moment_it_goes_on(in_the_way: Chat, moment: int, pytestconfig: pytest.Config) -> None:
    if moment not in SOME and not pytestconfig.getoption("--every-fault"):
        pytest.skip("one of all moments (--every-fault)")
    _, target, declared = in_the_way
    before = acl(target)
    assert killed(declared, moment, (CONSENT,)) == (moment < LAST)
    goes_on(declared)
    teardown(declared)
    assert acl(target) == before


@pytest.mark.parametrize("number", range(1, LAST_WRITE + 1))
def test_killed_before_any_write_it_goes_on(
    in_the_way: Chat, number: int, pytestconfig: pytest.Config
) -> None:
    if number not in SOME_WRITES and not pytestconfig.getoption("--every-fault"):
        pytest.skip("one of all statements that write (--every-fault)")
    _, target, declared = in_the_way
    before = acl(target)
    dead = killed_at_write(declared, number, (CONSENT,))
    assert not (dead and number == LAST_WRITE), "there are more of them"
    goes_on(declared)
    teardown(declared)
    assert acl(target) == before


@pytest.mark.since(16, "run_as_owner")
def test_a_worker_that_writes_as_the_subscriptions_owner_keeps_his_rights(
    granted: Chat, roles: dict[str, str]
) -> None:
    source, target, declared = granted
    run(replace(declared, read_only=False))
    name = declared.subscription
    with psycopg.connect(target, autocommit=True) as connection:
        for statement in (
            "ALTER SUBSCRIPTION {name} DISABLE",
            "ALTER ROLE {borrower} LOGIN",
            "GRANT CREATE ON DATABASE {database} TO {borrower}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON agent_chat TO {borrower}",
            "ALTER SUBSCRIPTION {name} SET (run_as_owner = true, password_required = false)",
            "ALTER SUBSCRIPTION {name} OWNER TO {borrower}",
        ):
            connection.execute(statement.format(name=name, database=connection.info.dbname, **roles))
    try:
        run(declared)
        assert {
            entry.partition("=")[0]
            for entry in acl(target)
            if "w" in entry.partition("=")[2].partition("/")[0]
        } == {
            f"agent_chat: {roles['owner']}",
            f"agent_chat: {roles['borrower']}",
        }
        execute(
            source, "INSERT INTO agent_chat VALUES (900, 'a', 'b')", "UPDATE agent_chat SET message = 'c'"
        )
        assert compared(declared).equal
        assert run(declared).done == ()
    finally:
        teardown(declared)


def test_partitions_refuse_as_well(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]], roles: dict[str, str]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        execute(
            url,
            "CREATE TABLE t (id int PRIMARY KEY, kind text) PARTITION BY RANGE (id)",
            "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)",
        )
    execute(
        target,
        "ALTER TABLE t OWNER TO {owner}".format(**roles),
        "ALTER TABLE t_1 OWNER TO {lender}".format(**roles),
        "GRANT ALL ON t_1 TO {owner}".format(**roles),
        "GRANT INSERT ON t, t_1 TO {writer}".format(**roles),
    )
    before = acl(target)
    declared = replication(
        source, target, for_servers(source), ReplicatedTable("public", "t"), read_only=True
    )
    run(declared)
    assert not any(entry.partition(": ")[2].startswith("writer_") for entry in acl(target))
    execute(source, "INSERT INTO t VALUES (1, 'a')", "UPDATE t SET kind = 'b'")
    assert compared(declared).equal, "the owner of the table writes to the partition of another"
    execute(target, "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)")
    execute(target, "GRANT INSERT ON t_2 TO {writer}".format(**roles))
    assert {f.name for f in status(declared).findings} >= {"not-read-only"}
    assert names(run(declared)) == ["read only"]
    teardown(declared)
    assert before <= acl(target)
