"""`[[replication]]` of novaops.toml, and the flags that say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from novaops.config import Setting
from novaops.diagnostics import DiagnosticsError
from novaops.errors import UsageError
from novaops.replication.declaration import Endpoint, Ranges, ReplicatedTable, Replication, Strides
from novaops.replication.declared import chosen, declared

BASE = Endpoint("nova_memory", {"host": "localhost", "port": "5432", "user": "nova"}, "secret")
CHAT = """\
[[replication]]
name = "agent_chat"
from = "nova_memory"
to = "graybeard_memory"

[[replication.table]]
name = "agent_chat"
triggers = { trg_notify_agent_chat = "always", trg_embed_chat_message = "replicated-only" }
"""


def read(tmp_path: Path, text: str) -> tuple[Replication, ...]:
    path = tmp_path / "novaops.toml"
    path.write_text(text)
    return declared(path, BASE)


def problems(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(DiagnosticsError) as raised:
        read(tmp_path, text)
    return [(d.source.line, d.message) for d in raised.value.diagnostics]


def test_the_documented_example(tmp_path: Path) -> None:
    (found,) = read(tmp_path, CHAT)
    assert (found.publication, found.subscription) == ("agent_chat_pub", "agent_chat_from_nova")
    assert found.slot == "agent_chat_from_nova_to_graybeard"
    assert found.tables[0].trigger_modes == {
        "trg_notify_agent_chat": "always",
        "trg_embed_chat_message": "replica",
    }
    assert found.target.conninfo() == {
        "host": "localhost", "port": "5432", "user": "nova", "password": "secret", "dbname": "graybeard_memory",
    }  # fmt: skip
    assert "secret" not in repr(found)


def test_two_servers(tmp_path: Path) -> None:
    (found,) = read(
        tmp_path,
        """\
[[replication]]
name = "user_references"
from = { database = "erebus", port = 5440 }
to = { database = "agents", port = 5441, password_command = "pass agents" }
tables = ["user_references", 'sales."Orders"']
server = { host = "db1", passfile = "/srv/pgpass" }
read_only = true
""",
    )
    assert str(found.source) == "erebus on localhost:5440"
    assert found.source.password is None, "the password is the configured server's"
    assert found.target.password_command == Setting("pass agents", "novaops.toml")
    assert [t.qualified for t in found.tables] == ["public.user_references", 'sales."Orders"']
    assert found.server_conninfo == {"host": "db1", "passfile": "/srv/pgpass"}
    assert found.read_only


def test_keys_of_two_directions(tmp_path: Path) -> None:
    text = CHAT.replace('to = "gray', 'direction = "both"\nto = "gray')
    assert read(tmp_path, text)[0].keys == Strides()
    ranges = text.replace("direction", "keys = { source = [1, 99], target = [100, 199] }\ndirection")
    (found,) = read(tmp_path, ranges)
    assert found.keys == Ranges((1, 99), (100, 199))
    back = found.reversed()
    assert back.keys == Ranges((100, 199), (1, 99))
    assert (back.subscription, back.slot) == (
        "agent_chat_from_graybeard",
        "agent_chat_from_graybeard_to_nova",
    )
    meeting = text.replace("direction", "keys = { source = [1, 99], target = [50, 199] }\ndirection")
    assert problems(tmp_path, meeting) == [(4, "the ranges of keys meet")]


def test_everything_that_is_wrong_is_said_at_its_line(tmp_path: Path) -> None:
    text = CHAT + CHAT.replace('"replicated-only"', '"sometimes"').replace("to =", "too =") + "colums = []\n"
    assert problems(tmp_path, text) == [
        (12, "unknown key too in [replication]"),
        (9, "a replication needs “to”"),
        (17, "unknown key colums in [replication.table]"),
        (16, "the mode of trigger trg_embed_chat_message is 'sometimes'"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('server = { password = "x" }', "novaops.toml must not hold a password"),
        ('from = { database = "a", password = "x" }', "novaops.toml must not hold a password"),
        ('from = { host = "a" }', "“from” names no database"),
        ('server = { hots = "a" }', "unknown key hots in server"),
        ('to = "nova_memory"', "nova_memory on localhost:5432 cannot be replicated to itself"),
        ('copy = "some"', "copy is 'some'"),
        ('tables = ["a.b.c"]', "'a.b.c' is not the name of a table"),
        ('tables = ["public.agent_chat"]', "public.agent_chat is named twice"),
        ("read_only = 1", "read_only must be true or false"),
        ('keys = "strides"', "keys are for two directions"),
    ],
)
def test_what_is_refused(tmp_path: Path, line: str, message: str) -> None:
    key = line.partition(" =")[0]
    kept = [text for text in CHAT.splitlines() if not text.startswith(f"{key} =")]
    found = problems(tmp_path, "\n".join([kept[0], line, *kept[1:]]))
    assert found[0][1] == message


def test_names_are_made_to_fit() -> None:
    source, target = BASE.at("Nova-DB"), BASE.at("x" * 60)
    made = Replication("agent_chat", source, target, (ReplicatedTable("public", "agent_chat"),))
    other = Replication("agent_chat", BASE.at("nova_db"), target, made.tables)
    assert len(made.slot) == 63
    assert made.slot != other.slot, "two names that come out the same but for their digest"
    assert made.subscription == "agent_chat_from_Nova-DB", "only slots have to do without letters"


def test_flags_choose_what_is_declared(tmp_path: Path) -> None:
    both = read(tmp_path, CHAT + CHAT.replace("graybeard", "quill"))
    assert chosen(both, BASE) == both
    assert chosen(both, BASE, to="quill_memory") == both[1:]
    assert chosen(both, BASE, to="quill_memory", source="nova_memory", tables=["agent_chat"]) == both[1:]


def test_flags_describe_what_is_not_declared() -> None:
    (found,) = chosen((), BASE, to="quill_memory", tables=["agent_chat", "sales.orders"])
    assert found.name == "agent_chat_orders"
    assert (found.source, found.target) == (BASE, BASE.at("quill_memory"))
    assert [table.schema for table in found.tables] == ["public", "sales"]


def test_flags_that_mean_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no replication is declared"):
        chosen((), BASE)
    with pytest.raises(UsageError, match="no replication to quill_memory is declared"):
        chosen(read(tmp_path, CHAT), BASE, to="quill_memory")
    with pytest.raises(UsageError, match="cannot be replicated to itself"):
        chosen((), BASE, to="nova_memory", tables=["agent_chat"])
