"""What `novaops dump` writes, where to, and what it says of the rest."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from novaops.errors import UsageError
from novaops.output.dump import write_folder

SEVERAL = """
CREATE SCHEMA sales; CREATE SCHEMA "Odd name"; CREATE SCHEMA empty; CREATE SCHEMA novaops;
CREATE TABLE novaops.own (a int);
CREATE TYPE sales.size AS ENUM ('small', 'large');
CREATE TABLE sales.orders (id int PRIMARY KEY, size sales.size);
CREATE TABLE "Odd name".notes (order_id int REFERENCES sales.orders, note text);
CREATE VIEW large AS SELECT o.id, n.note FROM sales.orders o JOIN "Odd name".notes n ON n.order_id = o.id
  WHERE o.size = 'large';
CREATE VIEW sales.large AS SELECT * FROM public.large;
CREATE PUBLICATION everything FOR TABLE sales.orders;
INSERT INTO sales.orders VALUES (1, 'small'), (2, 'large');
INSERT INTO "Odd name".notes VALUES (2, 'fragile');
"""


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    found = new_database("dumped")
    with psycopg.connect(found, autocommit=True) as connection:
        connection.execute(SEVERAL)
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_schema_is_written_loads_and_plans_to_nothing(
    novaops, psql: Callable[..., str], new_database: Callable[..., str], url: str, tmp_path: Path
) -> None:
    dumped = novaops("dump", "--url", url, "--out", "all.sql")
    assert (dumped.returncode, dumped.stdout) == (0, ""), dumped.stderr
    assert "publication (1)" in dumped.stderr
    assert "rows" in dumped.stderr
    assert "novaops.own" not in (tmp_path / "all.sql").read_text()
    plan = novaops("plan", "--url", url, "--file", "all.sql", "--check")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    copy = new_database("dumped_copy")
    psql(copy, "-1", "-f", str(tmp_path / "all.sql"))
    again = novaops("dump", "--url", copy)
    assert again.stdout == (tmp_path / "all.sql").read_text()
    assert "CREATE SCHEMA empty" in again.stdout
    split = novaops("dump", "--url", url, "--split", "folder")
    assert split.returncode == 0, split.stderr
    plan = novaops("plan", "--url", url, "--file", "folder", "--check")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.sql", "folder"]


def test_a_schema_that_was_not_asked_for_is_named(novaops, url: str) -> None:
    dumped = novaops("dump", "--url", url, "--schema", "sales")
    assert "CREATE TABLE sales.orders" in dumped.stdout
    assert "notes" not in dumped.stdout
    assert 'the schemas "Odd name", empty, public' in dumped.stderr
    assert "not in the dump" not in novaops("dump", "--url", url, "--quiet").stderr


def test_a_dump_that_fails_leaves_the_file_alone(novaops, url: str, tmp_path: Path) -> None:
    file = tmp_path / "schema.sql"
    file.write_text("-- mine\n")
    file.chmod(0o640)
    failed = novaops("dump", "--url", url, "--database", "no_such_database", "--out", file)
    assert failed.returncode == 1
    assert file.read_text() == "-- mine\n"
    dumped = novaops("dump", "--url", url, "--out", file)
    assert dumped.returncode == 0, dumped.stderr
    assert "sales.orders" in file.read_text()
    assert mode(file) == 0o640
    secret = novaops("dump", "--url", url, "--with-secrets", "--out", file)
    assert secret.returncode == 0, secret.stderr
    assert mode(file) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["schema.sql"]
    assert novaops("dump", "--url", url, "--out", file, "--split", "folder").returncode == 2


def test_an_empty_folder_is_filled_and_stays_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o750)
    before = folder.stat().st_ino
    write_folder(folder, {"public/table/t.sql": "CREATE TABLE t ();\n", "sales/view/v.sql": "…\n"})
    assert (folder.stat().st_ino, mode(folder)) == (before, 0o750)
    assert sorted(p.name for p in folder.iterdir()) == ["public", "sales"]
    assert (folder / "sales/view/v.sql").read_text() == "…\n"
    with pytest.raises(UsageError, match="is not empty"):
        write_folder(folder, {})
    with pytest.raises(TypeError):
        write_folder(tmp_path / "new", {"a.sql": "x", "b.sql": None})  # type: ignore[dict-item]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_pipe_is_written_to_and_not_replaced(novaops, url: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(pipe.read_text)
        dumped = novaops("dump", "--url", url, "--out", pipe)
        assert dumped.returncode == 0, dumped.stderr
        assert "CREATE TABLE sales.orders" in reading.result()
    assert pipe.is_fifo()


def test_an_empty_file_offers_no_command_that_drops_everything(novaops, url: str, tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("")
    plan = novaops("plan", "--url", url, "--file", "x.sql")
    assert plan.returncode == 0
    lines = plan.stdout.splitlines()
    database = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    (line,) = [n for n, text in enumerate(lines) if text.startswith(f"! data-loss:{database}")]
    assert line < lines.index("public")
    assert plan.stdout.count("declares nothing") == 1
    assert "next " not in plan.stdout
    assert "--allow" not in plan.stdout
    (mend,) = [text for text in lines if text.startswith("mend ")]
    _, _, command = mend.partition("novaops ")
    mended = novaops(*shlex.split(command))
    assert mended.returncode == 0, mended.stderr
    again = novaops("plan", "--url", url, "--file", "x.sql", "--check")
    assert again.returncode == 0, again.stdout


def test_what_the_ignore_file_beside_the_schema_file_names_is_left_alone(
    novaops, url: str, tmp_path: Path
) -> None:
    (tmp_path / "database").mkdir()
    (tmp_path / "database/schema.sql").write_text("CREATE TABLE t (a int);")
    (tmp_path / "database/.pgschemaignore").write_text('[views]\npatterns = ["large"]\n')
    sql = novaops("plan", "--url", url, "--file", "database/schema.sql", "--format", "sql")
    assert sql.returncode == 0, sql.stderr
    assert "CREATE TABLE public.t" in sql.stdout
    assert "DROP VIEW" not in sql.stdout
