from __future__ import annotations

import pytest

from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.kinds.kind import Placement, Scene, Step
from tests.integration.kinds.conftest import Connection, Convert, changed, passing, snapshot

KIND = registry()["subscription"]
ELSEWHERE = "host=nowhere.invalid password=hush"


def subscription(options: str = "", publications: str = "a, b", connection: str = ELSEWHERE) -> str:
    given = ", ".join(filter(None, ["connect = false", "slot_name = NONE", options]))
    return f"CREATE SUBSCRIPTION s CONNECTION '{connection}' PUBLICATION {publications} WITH ({given})"


def only(found: Snapshot) -> Object:
    (obj,) = (o for o in found if o.kind == "subscription")
    return obj


def steps(database: Connection, old: str, new: str, version: int = 180000) -> list[Step] | None:
    """What `alter` writes; nothing stays in the database."""
    with passing(database, old) as live:
        before = only(live)
    with passing(database, new) as desired:
        after = only(desired)
    return KIND.alter(before, after, changed(before, after), Scene(live, desired, version))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", subscription()),
        (subscription(), ""),
        ("", subscription("binary, streaming, synchronous_commit = 'local', disable_on_error", '"P p"')),
        ("", subscription("two_phase", connection="host=h password=it''s")),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("subscription", old, new)


def test_the_password_is_never_shown(database: Connection) -> None:
    with passing(database, subscription()) as found:
        old = only(found)
    with passing(database, subscription(connection="password=other")) as desired:
        new = only(desired)
    scene = Scene(found, desired, 180000)
    altered = KIND.alter(old, new, frozenset({"connection"}), scene)
    assert altered
    for step in (*KIND.create(new, (), scene), *altered):
        assert "other" in step.sql
        assert "other" not in step.sql.replace(*step.secrets, "")
    assert KIND.describe(old, new, "connection") == "connection changed"


@pytest.mark.parametrize(
    ("new", "statement"),
    [
        (subscription(connection="host=h"), "CONNECTION 'host=h'"),
        (subscription(publications="b, c"), "SET PUBLICATION b, c WITH (refresh = false)"),
        (subscription("binary"), "SET (binary = 'true')"),
        (subscription("streaming"), "SET (streaming = on)"),
        (
            subscription("synchronous_commit = 'on', disable_on_error"),
            "SET (synchronous_commit = 'on', disable_on_error = 'true')",
        ),
        (subscription().replace("slot_name = NONE", "slot_name = 'x'"), "SET (slot_name = 'x')"),
    ],
)
def test_is_altered(database: Connection, new: str, statement: str) -> None:
    old = subscription("streaming = off")
    new = (
        new.replace("connect = false", "connect = false, streaming = off") if "streaming" not in new else new
    )
    written = steps(database, old, new)
    assert [s.sql for s in written or ()] == [f"ALTER SUBSCRIPTION s {statement}"]
    with passing(database, new) as desired:
        goal = only(desired)
    with passing(database, f"{old}; ALTER SUBSCRIPTION s {statement}") as reached:
        assert only(reached).attributes == goal.attributes


def test_options_of_newer_servers(database: Connection) -> None:
    if database.info.server_version >= 170000:
        old, new = subscription(), subscription("origin = none, run_as_owner, password_required = false")
        written = steps(database, old, new)
        assert [s.sql for s in written or ()] == [
            "ALTER SUBSCRIPTION s SET (origin = 'none', password_required = 'false', run_as_owner = 'true')"
        ]
        written = steps(database, old, subscription("failover"))
        assert [(s.sql, s.placement) for s in written or ()] == [
            ("ALTER SUBSCRIPTION s SET (failover = 'true')", Placement.ALONE)
        ]
    else:
        with passing(database, subscription()) as found:
            assert only(found)["failover"] is None


def test_two_phase_needs_version_18(database: Connection) -> None:
    assert steps(database, subscription(), subscription("two_phase"), version=170000) is None
    written = steps(database, subscription(), subscription("two_phase"))
    assert [s.sql for s in written or ()] == ["ALTER SUBSCRIPTION s SET (two_phase = 'true')"]


def test_one_with_a_slot_is_dropped_outside_a_transaction(database: Connection) -> None:
    with passing(database, subscription()) as found:
        assert [s.placement for s in KIND.drop(only(found), Scene(found, found, 180000))] == [
            Placement.TRANSACTION
        ]
    with passing(database, subscription().replace("slot_name = NONE", "slot_name = 'x'")) as found:
        assert [s.placement for s in KIND.drop(only(found), Scene(found, found, 180000))] == [Placement.ALONE]


def test_an_ordinary_role_reads_all_but_the_connection(database: Connection) -> None:
    with database.transaction(force_rollback=True):
        database.execute(subscription())
        database.execute("SET LOCAL ROLE pg_monitor")
        found = only(snapshot(database))
    assert (found["connection"], found["publications"]) == (None, ("a", "b"))
