"""A subscription reaches its source as declared, after the declaration has changed as well; no password is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from novaops.errors import NovaopsError
from novaops.replication.declaration import Replication
from novaops.replication.pair import open_pair
from novaops.replication.set_up import pending
from novaops.replication.status import status

from .acting import Chat, compared, execute, look, names, run, write


def reached(target: str, declared: Replication) -> dict[str, str]:
    with psycopg.connect(target) as connection:
        row = connection.execute(
            "SELECT subconninfo FROM pg_subscription WHERE subname = %s", [declared.subscription]
        ).fetchone()
    assert row is not None
    return {name: str(value) for name, value in conninfo_to_dict(row[0]).items()}


def other(declared: Replication, **given: str) -> Replication:
    return replace(declared, server_conninfo={**declared.server_conninfo, **given})


def waiting(declared: Replication) -> tuple[str, ...]:
    with open_pair(declared) as pair:
        return pending(pair, declared)


def test_what_is_declared_otherwise_is_altered(running: Chat) -> None:
    source, target, declared = running
    changed = other(declared, connect_timeout="7")
    assert waiting(changed) == (f"another connect_timeout for {declared.subscription}",)
    assert look(changed)["connection"].message.endswith("otherwise than declared: connect_timeout")
    assert names(run(changed)) == ["connection"]
    assert reached(target, changed) == {**reached(target, declared), "connect_timeout": "7"}
    assert run(changed).done == ()
    assert "connection" not in look(changed)
    write(source)
    assert compared(changed).equal
    # What is not declared may be anything.
    assert waiting(declared) == ()


def test_another_place_replaces_the_former_one_as_a_whole(running: Chat) -> None:
    _, target, declared = running
    before = reached(target, declared)
    moved = other(declared, host="localhost", sslmode="prefer")
    assert names(run(moved)) == ["connection"]
    assert reached(target, moved) == {**before, "host": "localhost", "sslmode": "prefer"}
    assert names(run(declared)) == ["connection"]
    assert reached(target, declared) == before, "sslmode went with the place that it was declared for"


def test_one_that_leads_nowhere_is_not_taken(running: Chat) -> None:
    source, target, declared = running
    before = reached(target, declared)
    with pytest.raises(NovaopsError, match="could not be altered in"):
        run(other(declared, port="1"))
    assert reached(target, declared) == before
    write(source)
    assert compared(declared).equal
    assert status(declared).healthy


def test_a_run_that_fails_puts_it_back(running: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    _, target, declared = running
    before = reached(target, declared)

    def no(*_: object, **__: object) -> None:
        raise NovaopsError("no proof")

    with monkeypatch.context() as patched:
        patched.setattr("novaops.replication.set_up.run.verify", no)
        with pytest.raises(NovaopsError, match="no proof"):
            run(other(declared, connect_timeout="7"))
    assert reached(target, declared) == before


@pytest.fixture
def by_hand(running: Chat) -> tuple[str, str, Replication, str]:
    """The subscription was altered by hand, and holds a password now."""
    source, target, declared = running
    passfile = declared.server_conninfo.get("passfile")
    if passfile is None:
        pytest.skip("this server wants no password")
    password = Path(passfile).read_text().splitlines()[0].rpartition(":")[2]
    kept = {name: value for name, value in reached(target, declared).items() if name != "passfile"}
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER SUBSCRIPTION {} CONNECTION {}").format(
                sql.Identifier(declared.subscription), make_conninfo(**kept, password=password)
            )
        )
    return source, target, declared, password


def test_a_password_is_told_of_and_never_shown(
    by_hand: tuple[str, str, Replication, str], capfd: pytest.CaptureFixture[str]
) -> None:
    _, target, declared, password = by_hand
    with open_pair(declared) as pair:
        from novaops.replication.checks import preflight

        found = [f for f in preflight(pair, declared).findings if f.name == "connection"]
    assert [f.severity for f in found] == ["note", "warning"]
    assert found[0].message.endswith("otherwise than declared: passfile")
    assert found[1].message.endswith("holds a password")
    outcome = run(declared)
    assert names(outcome) == ["connection"]
    assert reached(target, declared)["passfile"] == declared.server_conninfo["passfile"]
    assert "password" not in reached(target, declared)
    with psycopg.connect(target) as connection:
        journal = connection.execute("SELECT made::text FROM novaops.replication_run").fetchall()
    for text in (repr(found), repr(outcome), *capfd.readouterr(), repr(journal)):
        assert password not in text


def test_a_run_that_fails_says_that_the_password_is_gone(
    by_hand: tuple[str, str, Replication, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, target, declared, password = by_hand

    def no(*_: object, **__: object) -> None:
        raise NovaopsError("no proof")

    with monkeypatch.context() as patched:
        patched.setattr("novaops.replication.set_up.run.verify", no)
        with pytest.raises(NovaopsError, match="no proof") as failed:
            run(declared)
    assert "it stays as declared; the former one held a password" in str(failed.value.detail)
    assert password not in str(failed.value.detail)
    assert "passfile" in reached(target, declared)


def test_who_may_not_read_it_is_told(running: Chat) -> None:
    _, target, declared = running
    role = f"onlooker_{declared.slot[-8:]}"
    execute(target, f"CREATE ROLE {role}", f"GRANT SELECT ON agent_chat TO {role}")
    changed = other(declared, connect_timeout="7")
    try:
        with open_pair(changed) as pair:
            from novaops.replication.checks import Scene
            from novaops.replication.checks.topology import subscription_connection

            scene = Scene.of(pair, changed)
            pair.target.connection.execute(f"SET SESSION AUTHORIZATION {role}")
            (finding,) = subscription_connection.findings(scene)
    finally:
        execute(target, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    assert finding.severity == "note"
    assert "may not read it" in finding.message
