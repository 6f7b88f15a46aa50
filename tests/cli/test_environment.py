"""Commands in environments that were made for other servers, or lack something."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from novaops.db.embedded import EmbeddedServer
from tests.conftest import folder_for_server

HOSTILE = {
    "PGPASSWORD": "wrong",
    "PGHOST": "nowhere.invalid",
    "PGHOSTADDR": "203.0.113.1",
    "PGPORT": "1",
    "PGUSER": "nobody",
    "PGOPTIONS": "-c search_path=nowhere -c default_transaction_read_only=on",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/nowhere/root.crt",
    "PGTARGETSESSIONATTRS": "standby",
    "PGPASSFILE": "/nowhere/pgpass",
    "PGREQUIREAUTH": "none",
    "PGCHANNELBINDING": "require",
    "PGGSSENCMODE": "require",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Path]:
    """The data folder of a user whose embedded server runs."""
    folder = folder_for_server()
    server = EmbeddedServer(folder / "novaops/embedded/18", settings={"fsync": "off"})
    with server.running():
        yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(running: Path, environment: dict[str, str]) -> None:
    """Let the commands find the embedded server."""
    environment["XDG_DATA_HOME"] = str(running)


@pytest.fixture
def old_and_new(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/t.sql").write_text("CREATE TABLE t (a int);")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/t.sql").write_text("CREATE TABLE t (a int, b int);")


@pytest.mark.parametrize("name", ["PGPASSWORD", "PGHOSTADDR", "PGOPTIONS", "PGSSLMODE", "PGPASSFILE"])
def test_the_embedded_server_is_reached_whatever_a_variable_says(novaops, folder: None, name: str) -> None:
    found = novaops("dump", "--embedded", "-d", "embedded_env", "--quiet", **{name: HOSTILE[name]})
    assert (found.returncode, found.stderr) == (0, "")
    assert "Schema of a PostgreSQL database" in found.stdout


def test_the_embedded_server_is_reached_whatever_a_service_says(
    novaops, folder: None, tmp_path: Path
) -> None:
    (tmp_path / "services").write_text(
        "[other]\nhost=nowhere.invalid\nhostaddr=203.0.113.1\noptions=-c x.y=1\n"
    )
    for service in ("other", "missing"):
        found = novaops(
            *("dump", "--embedded", "-d", "embedded_env", "--quiet"),
            PGSERVICE=service,
            PGSERVICEFILE=str(tmp_path / "services"),
        )
        assert found.returncode == 0, found.stderr


def test_files_are_rehearsed_there_whatever_all_of_them_say(
    novaops, folder: None, old_and_new: None, tmp_path: Path
) -> None:
    found = novaops(
        *("apply", "--embedded", "-d", "embedded_apply", "--file", "new", "--shadow", "embedded", "--yes"),
        **HOSTILE,
    )
    assert found.returncode == 0, found.stderr
    again = novaops("plan", "--embedded", "-d", "embedded_apply", "--file", "new", "--check", **HOSTILE)
    assert again.returncode == 0, again.stderr


def test_diff_of_files_on_the_embedded_server_needs_no_other(
    novaops, folder: None, old_and_new: None
) -> None:
    found = novaops("diff", "old/", "new/", "--shadow", "embedded", "--format", "sql", **HOSTILE)
    assert found.returncode == 0, found.stderr
    assert "ALTER TABLE public.t ADD COLUMN b integer;" in found.stdout
    same = novaops("diff", "old/", "old/", "--shadow", "embedded", "--check", **HOSTILE)
    assert same.returncode == 0, same.stderr


def test_without_libpq_the_missing_package_is_named(novaops, tmp_path: Path) -> None:
    """psycopg tries psycopg_c, psycopg_binary and libpq by ctypes, in this order (psycopg/pq/__init__.py)."""
    (tmp_path / "sitecustomize.py").write_text(
        "import ctypes.util, sys\n"
        "sys.modules['psycopg_c'] = sys.modules['psycopg_binary'] = None\n"
        "ctypes.util.find_library = lambda name: None\n"
    )
    root = Path(__file__).parents[2]
    found = novaops("plan", PYTHONPATH=f"{tmp_path}:{root}")
    assert found.returncode == 1
    assert "libpq, is not installed" in found.stderr
    assert "pip install 'psycopg[binary]'" in found.stderr
    assert "defect" not in found.stderr
    assert "Traceback" not in found.stderr


def test_two_plans_at_once_on_the_embedded_server_know_the_roles_of_the_target(
    novaops, environment: dict[str, str], new_database, server_url: str, server_folder: Path, tmp_path: Path
) -> None:
    """Either may be the first to end: it stops no server that the other one uses, and takes no role from it."""
    environment["XDG_DATA_HOME"] = str(server_folder)
    url, role = new_database("roles"), f"app_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.info.server_version < 180000:
            pytest.skip("the embedded PostgreSQL is of another major version")
        connection.execute(f"CREATE ROLE {role}; CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    (tmp_path / "s.sql").write_text(
        "CREATE TABLE t (a int, b int);\n"
        f"GRANT SELECT ON t TO {role};\nGRANT SELECT ON t TO lacking_{role};\n"
    )
    call = ("--url", url, "--file", "s.sql", "--shadow", "embedded")
    try:
        with ThreadPoolExecutor() as pool:
            plans = [
                pool.submit(novaops, "plan", *call, "--rehearse", "--missing-roles", how)
                for how in ("create", "skip")
            ]
        create, skip = (plan.result() for plan in plans)
        for plan in (create, skip):
            assert plan.returncode == 0, plan.stderr
            assert f"GRANT SELECT ON TABLE public.t TO {role}" in plan.stdout
            assert "converges" in plan.stdout + plan.stderr
            assert "defect" not in plan.stdout + plan.stderr
        assert f"CREATE ROLE lacking_{role}" in create.stdout
        assert "CREATE ROLE" not in skip.stdout
        refused = novaops("plan", *call)
        assert refused.returncode == 1
        assert f'role "lacking_{role}" does not exist' in refused.stderr
        assert f'role "{role}" does not exist' not in refused.stderr
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
