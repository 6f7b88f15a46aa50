"""One database with everything that PostgreSQL can hold: nothing is overlooked, nothing changes on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from novaops.catalog.saved import read_saved, to_value
from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.planning.diff import Comparison, diff
from novaops.planning.draft import draft
from novaops.planning.dump import dump
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope
from novaops.project import Options, Project
from tests.integration.kinds.conftest import snapshot

DATA = Path(__file__).parents[1] / "data"
BASE_TYPE = "kitchen_sink_base_type.sql"
EVERYTHING = Scope(frozenset({"public"}), whole=True)
COMPLETELY = Comparison(PrivilegeMode.MANAGED, owners=True)
ROLES = ("kitchen_reader", "kitchen_writer", '"Kitchen Owner"')
# Parts of other rows, which a snapshot reads with what they belong to.
PARTS = {"pg_amop", "pg_amproc"}

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def cluster(server_url: str) -> None:
    """The roles and the tablespace that the files need; other processes may make them at the same time."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        for role in ROLES:
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(f"CREATE ROLE {role}")
        connection.execute("SET allow_in_place_tablespaces = on")
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            connection.execute("CREATE TABLESPACE kitchen_space LOCATION ''")


@pytest.fixture
def files(cluster: None, server_url: str) -> list[Path]:
    """The files that this server understands, in the order of their loading."""
    with psycopg.connect(server_url) as connection:
        major = connection.info.server_version // 10000
        query = "SELECT EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')"
        (icu,) = connection.execute(query).fetchone() or (False,)
        available = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
    names = [BASE_TYPE, "kitchen_sink.sql"]
    names += [f"kitchen_sink_{added}.sql" for added in (16, 17, 18) if added <= major]
    names += ["kitchen_sink_icu.sql"] if icu else []
    extensions = [name for name in ("vector", "hstore") if name in available]
    assert extensions, "this server has neither vector nor hstore"
    names += [f"kitchen_sink_{name}.sql" for name in extensions]
    return [DATA / name for name in names]


@pytest.fixture
def url(files: list[Path], new_database: Callable[..., str], psql: Callable[..., str]) -> str:
    """A database with the kitchen sink."""
    url = new_database("sink")
    psql(url, *(option for file in files for option in ("-f", str(file))))
    return url


@pytest.fixture
def sink(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def reach(connection: Connection, goal: Snapshot) -> None:
    """Execute the way from what there is to `goal`."""
    connection.execute("SET check_function_bodies = off")
    for written in draft(snapshot(connection), goal, EVERYTHING, COMPLETELY).written:
        connection.execute(written.step.sql)
    assert diff(snapshot(connection), goal, EVERYTHING, COMPLETELY) == {}


def test_everything_is_modelled(sink: Connection) -> None:
    seen = snapshot(sink)
    assert seen.unmodelled == ()
    assert {o.kind for o in seen} == set(registry())


def test_the_inventory_looks_into_every_catalog(sink: Connection) -> None:
    """Whatever pg_depend, pg_shdepend or a comment speaks of is in a catalog that is looked through."""
    rows = sink.execute(
        "SELECT DISTINCT classid::regclass::text FROM ("
        "  SELECT classid, objid FROM pg_depend UNION ALL SELECT refclassid, refobjid FROM pg_depend"
        "  UNION ALL SELECT classid, objid FROM pg_shdepend"
        "  WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
        "  UNION ALL SELECT classoid, objoid FROM pg_description"
        ") AS everything WHERE objid >= 16384"
    ).fetchall()
    inventory = (DATA.parents[1] / "novaops/catalog/inventory.sql").read_text()
    unseen = {name for (name,) in rows if f"'{name}'::regclass" not in inventory}
    assert len(rows) > 30
    assert unseen == PARTS


def test_equals_itself(sink: Connection) -> None:
    assert diff(snapshot(sink), snapshot(sink), EVERYTHING, COMPLETELY) == {}


def test_is_the_same_from_a_file(sink: Connection, tmp_path: Path) -> None:
    original, path = snapshot(sink), tmp_path / "sink.json"
    path.write_text(json.dumps(to_value(original, {"database": "sink"})))
    read, database = read_saved(path)
    assert database == {"database": "sink"}
    assert dict(read.objects) == dict(original.objects)
    assert set(read.edges) == set(original.edges)
    assert (read.version, read.role, read.default_acl) == (
        original.version, original.role, original.default_acl
    )  # fmt: skip
    assert dump(read, EVERYTHING, COMPLETELY, secrets=True) == dump(
        original, EVERYTHING, COMPLETELY, secrets=True
    )


def test_dump_loads_and_dumps_the_same(
    sink: Connection, new_database: Callable[..., str], psql: Callable[..., str]
) -> None:
    original = snapshot(sink)
    script = dump(original, EVERYTHING, COMPLETELY, secrets=True)
    url = new_database("sink")
    psql(url, "-1", input=script)
    with psycopg.connect(url, autocommit=True) as connection:
        loaded = snapshot(connection)
    assert diff(loaded, original, EVERYTHING, COMPLETELY) == {}
    assert dump(loaded, EVERYTHING, COMPLETELY, secrets=True) == script


def test_taken_down_and_built_again(
    sink: Connection, new_database: Callable[..., str], psql: Callable[..., str]
) -> None:
    full = snapshot(sink)
    url = new_database("sink")
    psql(url, "-f", str(DATA / BASE_TYPE))
    with psycopg.connect(url, autocommit=True) as connection:
        bare = snapshot(connection)
    reach(sink, bare)
    reach(sink, full)


@pytest.mark.parametrize("declared", ["dump", "files"])
def test_its_own_declaration_plans_nothing(
    url: str, files: list[Path], tmp_path: Path, declared: str
) -> None:
    """The dump, or the very files that made it, executed in a shadow."""
    options = Options(scope="database", privileges="managed", owners="managed", ignore_file=None)
    file = tmp_path / "declared.sql"
    with Project(url, file, options) as project:
        texts = [project.dump(secrets=True)] if declared == "dump" else [f.read_text() for f in files]
        file.write_text("\n".join(texts))
        made = project.plan()
    assert made.changes == ()
    assert made.statements == ()
