from __future__ import annotations

import pytest

from novaops.kinds import registry
from novaops.kinds.kind import Scene
from tests.integration.kinds.conftest import Connection, Convert, snapshot

PLAIN = "CREATE PUBLICATION p"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", 'CREATE PUBLICATION "P p" FOR ALL TABLES'),
        ("", "CREATE PUBLICATION p WITH (publish = 'insert, truncate', publish_via_partition_root)"),
        ("", "CREATE PUBLICATION p WITH (publish = '')"),
        (PLAIN, "CREATE PUBLICATION p FOR ALL TABLES"),
    ],
)
def test_create_drop_and_rebuild(convert: Convert, old: str, new: str) -> None:
    convert("publication", old, new)


CHANGED = f"{PLAIN} WITH (publish = 'update', publish_via_partition_root)"
ALL = "insert, update, delete, truncate"


@pytest.mark.parametrize(
    ("old", "new", "parameters"),
    [
        (PLAIN, CHANGED, "publish = 'update', publish_via_partition_root = 'true'"),
        (CHANGED, PLAIN, f"publish = '{ALL}', publish_via_partition_root = 'false'"),
    ],
)
def test_parameters_are_altered(convert: Convert, old: str, new: str, parameters: str) -> None:
    assert convert("publication", old, new) == [f"ALTER PUBLICATION p SET ({parameters})"]


@pytest.mark.since(18, "publications of generated columns")
def test_generated_columns(convert: Convert) -> None:
    new = f"{PLAIN} WITH (publish_generated_columns = stored)"
    altered = ["ALTER PUBLICATION p SET (publish_generated_columns = 'stored')"]
    assert convert("publication", PLAIN, new) == altered


def test_members_are_written_into_its_creation(convert: Convert) -> None:
    setup = 'CREATE SCHEMA s; CREATE TABLE t (a int PRIMARY KEY, "B b" text); CREATE TABLE u (a int)'
    new = (
        'CREATE PUBLICATION p FOR TABLE t ("B b", a) WHERE (a > 1), u; ALTER PUBLICATION p OWNER TO postgres'
    )
    (statement,) = convert("publication", "", new, setup=setup)
    assert statement == (
        'CREATE PUBLICATION p FOR TABLE ONLY public.t ("B b", a) WHERE ((a > 1)), TABLE ONLY public.u'
    )


def test_its_loss_breaks_subscribers(database: Connection) -> None:
    database.execute(PLAIN)
    live = snapshot(database)
    (publication,) = (o for o in live if o.kind == "publication")
    (risk,) = registry()["publication"].risks(publication, None, frozenset(), Scene(live, live, 180000))
    assert (risk.hazard, risk.subject) == ("behaviour", "p")
