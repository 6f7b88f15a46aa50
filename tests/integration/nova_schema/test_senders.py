"""Who may send as whom: the roles of agents have EXECUTE on send_agent_message() and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.sql import SQL, Identifier

from novaops.db.connection import connect
from tests.integration.nova_schema.conftest import Connection, value

pytestmark = pytest.mark.extension("vector")
ROOT = Path(__file__).parents[3]
INSERT = "INSERT INTO agent_chat (sender, message, recipients) VALUES (%s, 'direct', '{coder}')"
SEND = "SELECT send_agent_message(%s, 'sent', ARRAY['coder'])"


@pytest.fixture
def role(nova: Connection) -> Iterator[Callable[..., str]]:
    """`role("argus")` makes a login with a name of its own; an agent of that name is not made."""
    made: list[str] = []

    def create(prefix: str = "argus", member_of: str | None = None) -> str:
        name = f"{prefix}_{secrets.token_hex(4)}"
        nova.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(name)))
        made.append(name)
        if member_of is not None:
            nova.execute(SQL("GRANT {} TO {}").format(Identifier(member_of), Identifier(name)))
        return name

    yield create
    for name in reversed(made):
        nova.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(name)))
        nova.execute(SQL("DROP ROLE {}").format(Identifier(name)))


@contextmanager
def logged_in(connection: Connection, role: str) -> Iterator[None]:
    """Let the session be one that this role has opened: session_user is the role, as in a login of its own."""
    connection.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(role)))
    try:
        yield
    finally:
        connection.execute("RESET SESSION AUTHORIZATION")


def agent(connection: Connection, name: str) -> int:
    insert = "INSERT INTO agents (name, access_method) VALUES (%s, 'cli') RETURNING id"
    return int(value(connection, insert, name))


def senders(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT sender FROM agent_chat ORDER BY id").fetchall()]


def may_insert(connection: Connection, role: str) -> None:
    connection.execute(
        SQL(
            "GRANT SELECT, INSERT, UPDATE ON agent_chat TO {0}; GRANT USAGE ON SEQUENCE agent_chat_id_seq TO {0}"
        ).format(Identifier(role))
    )


def test_the_role_with_the_name_of_an_agent_sends_with_execute_alone(nova: Connection, role) -> None:
    nova.execute("REVOKE EXECUTE ON FUNCTION send_agent_message FROM PUBLIC")
    name = role("Argus")
    agent(nova, name)
    nova.execute(SQL("GRANT EXECUTE ON FUNCTION send_agent_message TO {}").format(Identifier(name)))
    with logged_in(nova, name):
        nova.execute(SEND, [name])
        for denied in ("SELECT FROM agents", "SELECT FROM agent_chat", "SELECT FROM memory_embeddings"):
            with pytest.raises(errors.InsufficientPrivilege, match="permission denied for table"):
                nova.execute(denied)
    assert senders(nova) == [name.lower()]
    assert value(nova, "SELECT content FROM memory_embeddings") == "sent"


@pytest.mark.parametrize("statement", [SEND, INSERT])
@pytest.mark.parametrize(
    ("sender", "error", "message"),
    [
        ("ghost", errors.ForeignKeyViolation, "Not in agents: 'ghost'"),
        ("nova", errors.InsufficientPrivilege, "may not send messages as agent 'nova'"),
    ],
)
def test_nobody_sends_as_somebody_else(
    nova: Connection, role, statement: str, sender: str, error: type[Exception], message: str
) -> None:
    name = role()
    agent(nova, name)
    may_insert(nova, name)
    with logged_in(nova, name), pytest.raises(error, match=message):
        nova.execute(statement, [sender])
    assert senders(nova) == []


def test_set_role_changes_nothing(nova: Connection, role) -> None:
    """A member of an agent's role is another login until agent_senders says otherwise."""
    argus = role()
    member = role("scout", member_of=argus)
    agent(nova, argus)
    with logged_in(nova, member):
        nova.execute(SQL("SET ROLE {}").format(Identifier(argus)))
        with pytest.raises(errors.InsufficientPrivilege, match=f"Role {member} may not send messages as"):
            nova.execute(SEND, [argus])
        nova.execute("RESET ROLE")


def test_a_role_sends_as_the_agent_that_agent_senders_names(nova: Connection, role) -> None:
    group = role("writers")
    member = role("scout", member_of=group)
    nova.execute("INSERT INTO agent_senders SELECT %s, id FROM agents WHERE name = 'Quill'", [group])
    nova.execute("INSERT INTO agent_senders VALUES ('no_such_role', NULL)")
    may_insert(nova, member)
    with logged_in(nova, member):
        nova.execute(SEND, ["Quill"])
        nova.execute(INSERT, ["quill"])
        with pytest.raises(errors.InsufficientPrivilege):
            nova.execute(SEND, ["nova"])
    assert senders(nova) == ["quill", "quill"]


def test_a_role_without_an_agent_id_sends_as_any_agent(nova: Connection, role) -> None:
    name = role("openclaw")
    nova.execute("INSERT INTO agent_senders VALUES (%s, NULL)", [name])
    with logged_in(nova, name):
        nova.execute(SEND, ["nova"])
        nova.execute(SEND, ["Quill"])
        with pytest.raises(errors.ForeignKeyViolation, match="Not in agents: 'ghost'"):
            nova.execute(SEND, ["ghost"])
    assert senders(nova) == ["nova", "quill"]
    with pytest.raises(errors.UniqueViolation):
        nova.execute("INSERT INTO agent_senders VALUES (%s, NULL)", [name])


def test_the_owner_sends_as_any_agent_and_as_no_ghost(nova: Connection, role) -> None:
    owner = role("owner")
    for function in ("send_agent_message", "may_send_as", "check_agent_sender", "embed_chat_message"):
        nova.execute(SQL(f"ALTER FUNCTION {function} OWNER TO {{}}").format(Identifier(owner)))
    for table in ("agents", "agent_senders", "agent_chat", "memory_embeddings"):
        nova.execute(SQL(f"ALTER TABLE {table} OWNER TO {{}}").format(Identifier(owner)))
    with logged_in(nova, owner):
        nova.execute(INSERT, ["nova"])
        for sender in ("ghost", "Nova", " nova"):
            with pytest.raises(errors.ForeignKeyViolation, match="Not in agents"):
                nova.execute(INSERT, [sender])
    assert senders(nova) == ["nova"]


@pytest.mark.parametrize("set_", ["sender = 'nova'", "sender = 'argus'", "sender = NULL"])
def test_a_message_keeps_its_sender(nova: Connection, role, set_: str) -> None:
    name = role()
    agent(nova, name)
    may_insert(nova, name)
    nova.execute(SEND, ["nova"])
    with logged_in(nova, name):
        own = set_.replace("argus", name)
        with pytest.raises((errors.InsufficientPrivilege, errors.ForeignKeyViolation)):
            nova.execute(f"UPDATE agent_chat SET {own}")
    assert senders(nova) == ["nova"]


def test_replicated_rows_pass(nova: Connection) -> None:
    nova.execute("SET session_replication_role = replica; SET search_path = ''")
    nova.execute(
        "INSERT INTO public.agent_chat (sender, message, recipients) VALUES ('ghost', 'copy', '{b}')"
    )
    nova.execute("UPDATE public.agent_chat SET sender = 'Another Ghost'")
    assert nova.execute("SELECT sender FROM public.agent_chat").fetchall() == [("Another Ghost",)]


def test_nobody_else_makes_a_trigger_of_the_embedding_function(nova: Connection, role) -> None:
    name = role()
    nova.execute(SQL("CREATE SCHEMA own AUTHORIZATION {}").format(Identifier(name)))
    with logged_in(nova, name):
        nova.execute("CREATE TABLE own.t (id int, message text)")
        with pytest.raises(errors.InsufficientPrivilege, match="embed_chat_message"):
            nova.execute(
                "CREATE TRIGGER t AFTER INSERT ON own.t FOR EACH ROW EXECUTE FUNCTION embed_chat_message()"
            )


def test_the_example_of_grants(nova: Connection, role, new_database: Callable[..., str]) -> None:
    """examples/agent_grants.sql gives a group what the comments of the tables promise, and no more."""
    agents = role("agents")
    text = (ROOT / "examples" / "agent_grants.sql").read_text()
    assert " agents;" in text
    nova.execute(text.replace(" agents;", f" {agents};"))
    argus, stranger = role("argus", member_of=agents), role("stranger")
    agent(nova, argus)
    with logged_in(nova, argus):
        message = value(nova, SEND, argus)
        nova.execute("SELECT * FROM v_agent_chat_recent, v_agent_chat_stats, agents, memory_embeddings")
        nova.execute("INSERT INTO agent_chat_processed (chat_id, agent) VALUES (%s, 'argus')", [message])
        for denied in (
            "DELETE FROM agent_chat",
            "UPDATE agents SET notes = 'x'",
            "DELETE FROM memory_embeddings",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                nova.execute(denied)
        with pytest.raises(errors.InsufficientPrivilege):
            nova.execute(INSERT, [argus])
    with (
        logged_in(nova, stranger),
        pytest.raises(errors.InsufficientPrivilege, match="permission denied for function"),
    ):
        nova.execute(SEND, [argus])


def test_the_sender_behind_an_alias_is_the_login(nova: Connection) -> None:
    """`SET SESSION AUTHORIZATION` in the tests above stands for a login; this is one."""
    login = f"login_{secrets.token_hex(4)}"
    nova.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(Identifier(login)))
    try:
        agent(nova, login)
        info = nova.info
        with connect(
            {
                "host": info.host,
                "port": str(info.port),
                "dbname": info.dbname,
                "user": login,
                "password": "secret",
            }
        ) as own:
            own.execute(SQL("SELECT public.send_agent_message({}, 'x', '{{coder}}')").format(login))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute("SELECT public.send_agent_message('nova', 'x', '{coder}')")
        assert senders(nova) == [login]
    finally:
        nova.execute(SQL("DROP ROLE {}").format(Identifier(login)))
