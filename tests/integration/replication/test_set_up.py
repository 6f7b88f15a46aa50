"""A set-up leads to what is declared, says when it is there, and leaves nothing behind where it cannot."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from novaops.errors import NovaopsError
from novaops.progress import Silent
from novaops.replication.declaration import ReplicatedTable, Replication, TriggerMode
from novaops.replication.facts import publications, slots, subscriptions, triggers
from novaops.replication.pair import open_pair
from novaops.replication.proof.barrier import barrier
from novaops.replication.proof.compare import compare
from novaops.replication.repairs.teardown import teardown
from novaops.replication.set_up import Outcome, set_up, subscription
from novaops.replication.set_up.copying import wait_until_copied
from tests.integration.replication.conftest import CHAT, replication

Chat = tuple[str, str, Replication]


def run(declared: Replication, reporter: Silent | None = None, **given: timedelta) -> Outcome:
    with open_pair(declared) as pair:
        return set_up(pair, declared, reporter, **given)


def names(outcome: Outcome) -> list[str]:
    return [done.name for done in outcome.done]


def clean(source: str, target: str, declared: Replication) -> bool:
    """Whether nothing of the replication is on either side."""
    with psycopg.connect(source) as ours, psycopg.connect(target) as theirs:
        return not (publications(ours) or subscriptions(theirs) or declared.slot in slots(ours))


def write(url: str, count: int = 1, sender: str = "a") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO agent_chat (sender, message) SELECT %s, 'm' || g FROM generate_series(1, %s) g",
            [sender, count],
        )


class Listener:
    """Hears the channel agent_chat from now on."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("LISTEN agent_chat")

    def heard(self, at_least: int = 0, seconds: float = 10) -> list[str]:
        """What has been heard since the last call; waits for so many."""
        found = [n.payload for n in self.connection.notifies(timeout=0.05)]
        if len(found) < at_least:
            found += [
                n.payload for n in self.connection.notifies(timeout=seconds, stop_after=at_least - len(found))
            ]
        return found


@pytest.fixture
def listener(chat: Chat) -> Iterator[Listener]:
    """A listener on the target."""
    with psycopg.connect(chat[1], autocommit=True) as connection:
        yield Listener(connection)


def test_sets_up_once_and_then_has_nothing_to_do(chat: Chat, listener: Listener) -> None:
    source, _, declared = chat
    write(source, 50)
    first = run(declared)
    assert {"publication", "hold", "slot", "subscription", "copy", "triggers"} <= set(names(first))
    assert first.proof is not None
    assert first.proof.proven
    (sentinel,) = first.proof.sentinels
    assert sentinel.heard
    # Not one of the rows of the past was heard; the sentinel of the proof is the only row.
    resync, *rows = listener.heard(2)
    assert resync == '{"resync": true, "table": "public.agent_chat"}'
    assert len(rows) == 1

    again = run(declared)
    assert again.done == ()
    assert again.findings == ()

    write(source, 3)
    assert len(listener.heard(3)) == 3
    assert listener.heard() == []


def test_between_two_servers(
    new_database: Callable[..., str],
    other_database: str,
    for_servers: Callable[[str], Mapping[str, str]],
) -> None:
    source = new_database("nova")
    for url in (source, other_database):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CHAT)
    write(source, 10)
    declared = replication(source, other_database, for_servers(source))
    with open_pair(declared) as pair:
        assert not pair.same_server
        assert set_up(pair, declared).proof is not None


class Mortal(Silent):
    """Dies at the moment number `at`."""

    def __init__(self, at: int) -> None:
        self.left = at

    def moment(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self, index: int, total: int, sql: str) -> None:
        self.moment()

    def phase(self, text: str) -> AbstractContextManager[None]:
        self.moment()
        return nullcontext()


def killed(declared: Replication, at: int) -> bool:
    """Whether a set-up in a process of its own died there, and did not come to its end before."""
    child = os.fork()
    if child == 0:
        try:
            run(declared, Mortal(at))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def test_killed_at_every_step_it_goes_on(chat: Chat, listener: Listener) -> None:
    source, _, declared = chat
    write(source, 50)
    moment = 1
    # Each run dies a little later than the one before, within what that has left to do.
    while killed(declared, moment):
        moment += 1 if moment < 4 else 2
        write(source)
    run(declared)
    assert run(declared).done == ()
    with open_pair(declared) as pair:
        assert [s for s in slots(pair.source.connection) if s.startswith("agent_chat_from")].count(
            declared.slot
        ) == 1
        (compared,) = compare(pair, declared)
    assert compared.equal
    heard = listener.heard()
    assert len(heard) == len(set(heard))
    assert sum("resync" in payload for payload in heard) <= 2


# A slot without a subscription; rows are being copied.
SOME = (7, 13)


@pytest.mark.parametrize("moment", range(1, 22))
def test_killed_once_it_goes_on(chat: Chat, moment: int, pytestconfig: pytest.Config) -> None:
    if moment not in SOME and not pytestconfig.getoption("--every-fault"):
        pytest.skip("one of all moments (--every-fault)")
    source, _, declared = chat
    write(source, 20)
    killed(declared, moment)
    run(declared)
    with open_pair(declared) as pair:
        assert compare(pair, declared)[0].equal
        assert set(slots(pair.source.connection)) >= {declared.slot}
    assert run(declared).done == ()


def test_what_was_made_by_hand_is_taken_over(chat: Chat) -> None:
    """The older documentation's statements, with the slot made first: on one server they would hang."""
    source, target, declared = chat
    slot = declared.slot[:50] + "_by_hand"
    reach = make_conninfo(**declared.server_conninfo, dbname=str(conninfo_to_dict(source)["dbname"]))
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE PUBLICATION agent_chat_pub FOR TABLE agent_chat")
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION agent_chat_pub WITH (create_slot = false, slot_name = {})"
            ).format(sql.Identifier(declared.subscription), reach, slot)
        )
    with open_pair(declared) as pair:
        wait_until_copied(pair, declared, Silent())
    assert names(run(declared)) == ["stop", "triggers"]
    assert run(declared).done == ()
    assert [text.split()[1] for text in teardown(declared).done] == [
        declared.subscription,
        slot,
        "agent_chat_pub",
    ]


class Interrupted(Silent):
    """Somebody presses Ctrl-C when a step of that title begins."""

    def __init__(self, title: str) -> None:
        self.title = title

    def step(self, index: int, total: int, sql: str) -> None:
        if sql.startswith(self.title):
            raise KeyboardInterrupt


def test_interrupted_before_rows_are_copied_nothing_is_left(chat: Chat) -> None:
    source, target, declared = chat
    with pytest.raises(KeyboardInterrupt):
        run(declared, Interrupted("enabling"))
    assert clean(source, target, declared)


def test_interrupted_while_rows_are_copied_the_server_goes_on(chat: Chat) -> None:
    source, target, declared = chat
    write(source, 10)
    with pytest.raises(KeyboardInterrupt):
        run(declared, Interrupted("copying"))
    assert not clean(source, target, declared)
    run(declared)
    with open_pair(declared) as pair:
        assert compare(pair, declared)[0].equal


def test_rows_written_meanwhile_all_arrive(chat: Chat) -> None:
    source, _, declared = chat
    write(source, 20_000)
    stop = threading.Event()
    written = 0

    def writer() -> None:
        nonlocal written
        while written < 100_000:
            write(source, 1000, "meanwhile")
            written += 1000
            if stop.is_set() and written >= 100_000:
                return

    thread = threading.Thread(target=writer)
    thread.start()
    run(declared)
    stop.set()
    thread.join()
    with open_pair(declared) as pair:
        (compared,) = compare(pair, declared)
    assert compared.equal
    assert compared.source_rows == compared.target_rows == 120_000


def test_an_open_transaction_is_waited_for_and_named(chat: Chat, new_database: Callable[..., str]) -> None:
    source, target, declared = chat
    with psycopg.connect(new_database("elsewhere")) as elsewhere:
        elsewhere.execute("CREATE TABLE t (a int)")
        with pytest.raises(NovaopsError) as refused:
            run(declared, wait=timedelta(seconds=1.2))
        assert f"pid {elsewhere.info.backend_pid} in elsewhere" in str(refused.value.detail)
        assert "idle in transaction" in str(refused.value.detail)
    assert clean(source, target, declared)
    with psycopg.connect(target) as connection:
        (trigger,) = triggers(connection, declared.tables)
        assert trigger.mode == "origin"


def test_what_fails_is_undone(chat: Chat) -> None:
    source, target, declared = chat
    write(source, 10)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("ALTER TABLE agent_chat ADD CHECK (id < 8)")
    with pytest.raises(NovaopsError, match="agent_chat_id_check"):
        run(declared)
    assert clean(source, target, declared)
    with psycopg.connect(target, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (0,)
        (trigger,) = triggers(connection, declared.tables)
        assert trigger.mode == "origin"
        connection.execute("ALTER TABLE agent_chat DROP CONSTRAINT agent_chat_id_check")
    assert "copy" in names(run(declared))


def test_a_slot_of_somebody_else_is_left_alone(chat: Chat) -> None:
    source, _, declared = chat
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [declared.slot])
        with pytest.raises(NovaopsError, match=f"there is a slot {declared.slot}"):
            run(declared)
        assert declared.slot in slots(connection)
        connection.execute("SELECT pg_drop_replication_slot(%s)", [declared.slot])


def test_missing_tables_and_columns_are_made_as_on_the_source(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(CHAT)
        connection.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
        connection.execute(
            "CREATE TABLE other (id int PRIMARY KEY, mood mood NOT NULL DEFAULT 'good', note text)"
        )
        connection.execute("INSERT INTO other VALUES (1, 'bad', 'x')")
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE TABLE other (id int PRIMARY KEY, note text)")
    write(source, 5)
    chat_table = ReplicatedTable("public", "agent_chat", trigger_modes={"trg_notify_agent_chat": "always"})
    declared = replication(
        source, target, for_servers(source), chat_table, ReplicatedTable("public", "other")
    )
    outcome = run(declared)
    assert names(outcome)[0] == "tables"
    assert outcome.done[0].text == "made agent_chat, other.mood as on the source"
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (5,)
        assert connection.execute("SELECT mood::text FROM other").fetchone() == ("bad",)
    assert run(declared).done == ()


def test_tables_that_were_made_go_when_it_fails(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(CHAT)
    declared = replication(source, target, {**for_servers(source), "port": "1"})
    with pytest.raises(NovaopsError, match="could not be made"):
        run(declared)
    assert clean(source, target, declared)
    with psycopg.connect(target) as connection:
        assert connection.execute(
            "SELECT to_regclass('agent_chat'), to_regproc('notify_agent_chat')"
        ).fetchone() == (
            None,
            None,
        )


def test_rows_that_are_there_are_brought_into_line(chat: Chat, listener: Listener) -> None:
    source, target, declared = chat
    write(source, 10)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO agent_chat SELECT g, 'a', 'old' FROM generate_series(1, 4) g")
    outcome = run(declared)
    assert "reconcile" in names(outcome)
    with open_pair(declared) as pair:
        assert compare(pair, declared)[0].equal
    assert [p for p in listener.heard(2) if "resync" in p] == [
        '{"resync": true, "table": "public.agent_chat"}'
    ]


def test_rows_that_the_target_has_alone_are_never_deleted(chat: Chat) -> None:
    """Not even where the pre-flight has not seen them."""
    source, target, declared = chat
    write(source, 3)
    own = "SELECT id, sender, message FROM agent_chat ORDER BY id"
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO agent_chat VALUES (1, 'a', 'old'), (900, 'b', 'own')")
        before = connection.execute(own).fetchall()
        with pytest.raises(NovaopsError, match="has rows that the source lacks: 1") as refused:
            run(declared)
        assert "900" in (refused.value.detail or "")
        assert connection.execute(own).fetchall() == before
    assert clean(source, target, declared)


def test_a_table_more_joins_a_replication_that_runs(chat: Chat) -> None:
    source, target, declared = chat
    run(declared)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE TABLE more (id int PRIMARY KEY); INSERT INTO more VALUES (1), (2)")
    wider = Replication(
        declared.name, declared.source, declared.target, (*declared.tables, ReplicatedTable("public", "more")),
        server_conninfo=declared.server_conninfo,
    )  # fmt: skip
    outcome = run(wider)
    assert {"tables", "publication", "refresh"} <= set(names(outcome))
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM more").fetchone() == (2,)
    assert run(wider).done == ()


def test_filters_and_columns_are_altered_in_place(chat: Chat) -> None:
    source, _, declared = chat
    run(declared)
    with psycopg.connect(source, autocommit=True) as connection:
        before = connection.execute("SELECT oid FROM pg_publication").fetchall()
    table = ReplicatedTable(
        "public", "agent_chat", ("id", "sender", "message"), "id > 0", declared.tables[0].trigger_modes
    )
    narrower = Replication(
        declared.name, declared.source, declared.target, (table,), server_conninfo=declared.server_conninfo
    )
    assert names(run(narrower)) == ["publication"]
    assert run(narrower).done == ()
    with psycopg.connect(source, autocommit=True) as connection:
        assert connection.execute("SELECT oid FROM pg_publication").fetchall() == before


def processes() -> str:
    """What the list of processes shows of each."""
    shown = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            shown.append(file.read_bytes().decode(errors="replace"))
    return "\n".join(shown)


def test_a_role_is_made_with_a_password_that_nobody_sees(
    chat: Chat, for_servers: Callable[[str], Mapping[str, str]], capfd: pytest.CaptureFixture[str]
) -> None:
    source, target, declared = chat
    reach = dict(declared.server_conninfo)
    if "passfile" not in reach:
        pytest.skip("this server wants no password")
    passfile = Path(reach["passfile"])
    kept = passfile.read_text()
    role = f"replicator_{declared.slot[-8:]}"
    limited = Replication(
        declared.name, declared.source, declared.target, declared.tables,
        server_conninfo={k: v for k, v in reach.items() if k != "user"}, role=role,
    )  # fmt: skip
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET log_statement = 'all'")
        data = connection.execute("SHOW data_directory").fetchone()
        assert data is not None
        log = Path(data[0]) / "server.log"
    try:
        outcome = run(limited)
        password = passfile.read_text().splitlines()[0].rpartition(":")[2]
        assert passfile.stat().st_mode & 0o777 == 0o600
        assert password not in repr(outcome)
        assert password not in "".join(capfd.readouterr())
        assert password not in processes()
        logged = log.read_text()
        assert f'TO "{role}"' in logged
        assert password not in logged
        assert f'CREATE ROLE "{role}"' not in logged  # it shows the verifier
        with psycopg.connect(target) as connection:
            row = connection.execute(
                "SELECT subconninfo FROM pg_subscription WHERE subname = %s", [limited.subscription]
            )
            text = str(row.fetchone())
            assert password not in text
            assert f"user={role}" in text
        with (
            psycopg.connect(source, user=role, passfile=str(passfile)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("DELETE FROM agent_chat")
        assert run(limited).done == ()
    finally:
        passfile.write_text(kept)
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute(
                "ALTER SUBSCRIPTION agent_chat_from_"
                + limited.subscription.rpartition("from_")[2]
                + " DISABLE"
            )
        with psycopg.connect(source, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_password_without_a_place_is_refused(chat: Chat) -> None:
    source, target, declared = chat
    role = f"replicator_{declared.slot[-8:]}"
    reach = {k: v for k, v in declared.server_conninfo.items() if k not in ("passfile", "user")}
    limited = Replication(
        declared.name, declared.source, declared.target, declared.tables, server_conninfo=reach, role=role
    )
    with pytest.raises(NovaopsError, match="needs a password"):
        run(limited)
    assert clean(source, target, declared)


def test_no_password_for_the_server_is_said_with_the_way_out(chat: Chat) -> None:
    source, target, declared = chat
    if "passfile" not in conninfo_to_dict(source):
        pytest.skip("this server wants no password")
    reach = {k: v for k, v in declared.server_conninfo.items() if k != "passfile"}
    bare = Replication(
        declared.name, declared.source, declared.target, declared.tables, server_conninfo=reach
    )
    with pytest.raises(NovaopsError, match="cannot log in") as refused:
        run(bare)
    assert "passfile" in str(refused.value.hint)
    assert clean(source, target, bare)


def test_partitions_are_sent_as_their_parent(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url, parts in ((source, 3), (target, 1)):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t (id int PRIMARY KEY, kind text) PARTITION BY RANGE (id)")
            for part in range(parts):
                width = 300 // parts
                connection.execute(
                    f"CREATE TABLE t_{part} PARTITION OF t FOR VALUES FROM ({part * width}) TO ({(part + 1) * width})"
                )
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO t SELECT g, CASE WHEN g % 3 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 299) g"
        )
    table = ReplicatedTable("public", "t", row_filter="id >= 10")
    declared = replication(source, target, for_servers(source), table)
    run(declared)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("DELETE FROM t WHERE id BETWEEN 100 AND 150")
    with open_pair(declared) as pair:
        # Counts are those of the first look, which the DELETE may not have reached.
        assert barrier(pair, declared, timedelta(seconds=30)).passed
        (compared,) = compare(pair, declared)
    assert (compared.equal, compared.source_rows, compared.target_rows) == (True, 239, 239)
    assert run(declared).done == ()


SCHEMA = Path(__file__).parents[3] / "schema/schema.sql"


@pytest.mark.extension("vector")
def test_the_projects_own_schema_on_both_sides(
    new_database: Callable[..., str], for_servers: Callable[[str], Mapping[str, str]]
) -> None:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA.read_text())
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO agent_chat (sender, message, recipients) VALUES ('nova', 'old', '{graybeard}')"
        )
    modes: dict[str, TriggerMode] = {"trg_notify_agent_chat": "always", "trg_embed_chat_message": "replica"}
    declared = replication(
        source, target, for_servers(source), ReplicatedTable("public", "agent_chat", trigger_modes=modes)
    )
    outcome = run(declared)
    assert outcome.proof is not None
    assert [sentinel.heard for sentinel in outcome.proof.sentinels] == [True]
    assert run(declared).done == ()
    with psycopg.connect(target) as connection:
        # That of the message, and none of the row of the proof.
        assert connection.execute("SELECT content FROM memory_embeddings").fetchall() == [("old",)]


@pytest.mark.since(16, "pg_create_subscription")
def test_a_role_whose_subscription_would_hold_a_password_is_told(chat: Chat) -> None:
    _, target, declared = chat
    role = f"plain_{declared.slot[-8:]}"
    with psycopg.connect(target, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"CREATE ROLE {role} LOGIN IN ROLE pg_create_subscription")
        connection.execute(f"GRANT CREATE ON DATABASE {name} TO {role}")
        try:
            with open_pair(declared) as pair:
                pair.target.connection.execute(f"SET SESSION AUTHORIZATION {role}")
                with pytest.raises(NovaopsError, match="must hold a password"):
                    subscription.create(pair, declared, copy=False)
        finally:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
