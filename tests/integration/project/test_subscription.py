"""Subscriptions, planned by a role that may make them and may not read where they connect to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from novaops.errors import NovaopsError
from novaops.project import Project

Connection = psycopg.Connection[Any]
SUBSCRIPTION = "CREATE SUBSCRIPTION s CONNECTION 'host={} password=hush' PUBLICATION p WITH (connect = false, slot_name = NONE);"
TABLE = "CREATE TABLE t (a int PRIMARY KEY);"

pytestmark = pytest.mark.since(16, "predefined role pg_create_subscription")


@pytest.fixture
def subscriber(live: Connection, role: Callable[[str], str], url: str) -> Iterator[str]:
    """URL for a role that is no superuser."""
    name = role("subscriber")
    database = live.info.dbname
    live.execute(f"ALTER ROLE {name} LOGIN CREATEDB PASSWORD 'right'; GRANT pg_create_subscription TO {name}")
    live.execute(f"GRANT CREATE ON DATABASE {database} TO {name}; ALTER SCHEMA public OWNER TO {name}")
    host = urlsplit(url)
    yield f"postgresql://{name}:right@{host.hostname}:{host.port}{host.path}"
    live.execute("DROP SUBSCRIPTION IF EXISTS s")
    live.execute("ALTER SCHEMA public OWNER TO pg_database_owner")


def test_what_cannot_be_read_is_not_compared_and_named(
    live: Connection, declare: Callable[..., Project], subscriber: str
) -> None:
    live.execute(SUBSCRIPTION.format("elsewhere"))
    live.execute(f"ALTER SUBSCRIPTION s OWNER TO {urlsplit(subscriber).username}")
    project = declare(SUBSCRIPTION.format("here") + TABLE, at=subscriber)
    made = project.plan()
    assert "connection of subscription s" in made.unmanaged
    assert [s.sql.split()[:3] for s in made.statements] == [["CREATE", "TABLE", "public.t"]]
    assert project.apply(made).left == ()


def test_a_new_one_is_refused_in_words(declare: Callable[..., Project], subscriber: str) -> None:
    with pytest.raises(NovaopsError, match="subscription s cannot be made by subscriber_") as refused:
        declare(SUBSCRIPTION.format("here"), at=subscriber).plan()
    assert "superuser" in str(refused.value.hint)
