"""Pre-migrations as people run them: plan, apply and `novaops migrations`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n"
NOT_NULL = USERS.replace("email text", "email text NOT NULL")


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    """A database with users, one of them without an email."""
    url = new_database("cli")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(USERS + "INSERT INTO users VALUES (1, 'a'), (2, NULL)")
    return url


@pytest.fixture
def call(url: str, tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema/schema.sql").write_text(NOT_NULL)
    (tmp_path / "pre-migrations").mkdir()
    return "--url", url


def write(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "pre-migrations" / name).write_text(text)


def count(url: str, query: str) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


REPAIR = "UPDATE users SET email = '' WHERE email IS NULL;\n"


def test_plan_shows_them_first_and_apply_runs_them(novaops, call, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_repair.sql", REPAIR)
    plan = novaops("plan", *call)
    assert plan.returncode == 0, plan.stderr
    assert "pre-migrations\n  0001_repair.sql  (pending)  1 statement\n" in plan.stdout
    assert "! not-null: 1 row would " in plan.stdout
    assert "(pending)" in plan.stdout.partition("not-null")[2]
    assert "blocked" not in plan.stdout
    assert novaops("plan", *call, "--check").returncode == 3
    applied = novaops("apply", *call, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "✓ ran 0001_repair.sql, applied " in applied.stderr
    again = novaops("plan", *call, "--check")
    assert (again.returncode, "pre-migrations" in again.stdout) == (0, False)


def test_after_the_apply_the_database_matches_without_a_condition(novaops, call, tmp_path: Path) -> None:
    write(tmp_path, "0001_repair.sql", REPAIR + "ALTER TABLE users ALTER COLUMN email SET NOT NULL;\n")
    plan = novaops("plan", *call)
    assert "matches schema/schema.sql (2 objects), once the pre-migrations have run." in plan.stdout
    applied = novaops("apply", *call, "--yes")
    assert applied.returncode == 0
    assert "matches schema/schema.sql (2 objects)" in applied.stderr
    assert "once the pre-migrations have run" not in applied.stderr


def test_the_plan_file_carries_them(novaops, call, url: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        "0001_rename.sql",
        "ALTER TABLE users RENAME COLUMN email TO address;\n" + REPAIR.replace("email", "address"),
    )
    (tmp_path / "schema/schema.sql").write_text(NOT_NULL.replace("email", "address"))
    planned = novaops("plan", *call, "--format", "json", "--out", "plan.json")
    (file,) = json.loads(planned.stdout)["pre_migrations"]
    assert {k: file[k] for k in ("name", "phase", "state", "hazards")} == {
        "name": "0001_rename.sql", "phase": "pre", "state": "pending", "hazards": [],
    }  # fmt: skip
    assert len(file["checksum"]) == 64
    assert [s["line"] for s in file["statements"]] == [1, 2]
    applied = novaops("apply", *call, "plan.json", "--yes")
    assert applied.returncode == 0, applied.stderr
    assert count(url, "SELECT count(*) FROM users WHERE address = ''") == 1


def test_a_plan_file_is_refused_with_5_when_the_files_have_changed(
    novaops, call, url: str, tmp_path: Path
) -> None:
    write(tmp_path, "0001_repair.sql", REPAIR)
    novaops("plan", *call, "--out", "plan.json")
    write(tmp_path, "0002_more.sql", "SELECT 1;")
    refused = novaops("apply", *call, "plan.json", "--yes")
    assert refused.returncode == 5
    assert "nothing was applied" in refused.stderr


def test_exit_4_when_a_file_has_not_repaired_what_it_should(novaops, call, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_wrong.sql", "UPDATE users SET email = '' WHERE id = 99;")
    refused = novaops("apply", *call, "--yes", "--format", "json")
    assert refused.returncode == 4
    assert "0001_wrong.sql ran and is recorded; no statement of the plan was applied" in refused.stderr
    assert json.loads(refused.stdout)["error"]["exit_code"] == 4


def test_exit_5_when_a_file_leaves_something_else(novaops, call, url: str, tmp_path: Path) -> None:
    (tmp_path / "schema/schema.sql").write_text(USERS)
    write(
        tmp_path,
        "0001.sql",
        "DO $$ BEGIN IF EXISTS (SELECT FROM users) THEN CREATE TABLE t (a int); END IF; END $$",
    )
    changed = novaops("apply", *call, "--yes", "--allow", "behaviour")
    assert changed.returncode == 5
    assert "table public.t" in changed.stderr
    assert "0001.sql ran and is recorded" in changed.stderr


def test_an_error_shows_the_line_and_what_had_run(novaops, call, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_good.sql", "CREATE TABLE made (a int);")
    write(tmp_path, "0002_bad.sql", "SELECT 1,\n  nowhere FROM made;")
    for failed in (
        novaops("apply", *call, "--yes", "--allow", "not-null"),
        novaops("migrations", "run", *call, "--yes"),
    ):
        assert failed.returncode == 1
        assert "pre-migrations/0002_bad.sql:2:3: error[42703]" in failed.stderr
        assert "\n   2 |   nowhere FROM made;\n     |   ^\n" in failed.stderr
    assert "0001_good.sql ran and is recorded; nothing else was done (exit 1)" in failed.stderr


def test_where_it_cannot_be_told_what_a_file_leaves_the_next_command_runs_it(
    novaops, call, url: str, tmp_path: Path
) -> None:
    write(tmp_path, "0001_needs.sql", "SELECT 1 / count(*) FROM users;\n" + REPAIR)
    plan = novaops("plan", *call)
    assert plan.stdout.endswith(f"\nnext     novaops migrations run {shlex.join(call)}\n")
    assert novaops("apply", *call, "--yes").returncode == 4  # the rows are as they were
    refused = novaops("apply", *call, "--yes", "--allow", "not-null")
    assert refused.returncode == 1
    assert "0001_needs.sql:1:1: error[22012]: division by zero" in refused.stderr
    assert "novaops migrations run" in refused.stderr
    assert novaops("migrations", "run", *call, "--yes").returncode == 0
    assert novaops("apply", *call, "--yes").returncode == 0


def test_without_consent_nothing_runs(novaops, call, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_repair.sql", REPAIR)
    write(tmp_path, "0003_fix.sql", "\nDELETE FROM users WHERE email = '';\n")
    consent = "data-loss:pre-migrations/0003_fix.sql:2"
    refused = novaops("apply", *call, "--yes")
    assert refused.returncode == 4
    assert f"! {consent}" in refused.stdout
    (line,) = [line for line in refused.stdout.splitlines() if line.startswith("next ")]
    assert line.endswith(f"--allow {consent}")
    assert count(url, "SELECT count(*) FROM users WHERE email IS NULL") == 1
    assert novaops("apply", *call, "--yes", "--allow", consent).returncode == 0
    assert count(url, "SELECT count(*) FROM users") == 1


def test_the_next_line_runs_when_it_is_pasted(novaops, call, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001 wipe.sql", "DELETE FROM users;")
    blocked = novaops("migrations", "run", *call)
    assert blocked.returncode == 4
    (line,) = [each for each in blocked.stdout.splitlines() if each.startswith("next ")]
    words = shlex.split(line.removeprefix("next"))
    assert words[:3] == ["novaops", "migrations", "run"]
    assert novaops(*words[1:], "--yes").returncode == 0
    assert count(url, "SELECT count(*) FROM users") == 0


def test_files_alone_build_an_empty_database(novaops, new_database, tmp_path: Path) -> None:
    (tmp_path / "pre-migrations").mkdir()
    write(tmp_path, "0001_users.sql", f"BEGIN;\n{USERS}COMMIT;\n")
    fresh = new_database("cli")
    assert novaops("migrations", "run", "--url", fresh, "--yes").returncode == 0
    assert count(fresh, "SELECT count(*) FROM users") == 0
    assert novaops("migrations", "--url", fresh).stdout.split()[:2] == ["0001_users.sql", "applied"]


def test_list(novaops, call, url: str, tmp_path: Path) -> None:
    assert novaops("migrations", *call).stdout == "no pre-migrations\n"
    write(tmp_path, "0001_repair.sql", REPAIR)
    assert novaops("migrations", *call).stdout.split() == ["0001_repair.sql", "pending"]
    assert novaops("migrations", "run", *call, "--yes").returncode == 0
    name, state, *when = novaops("migrations", "list", *call).stdout.split()
    assert (name, state, when[2:]) == (
        "0001_repair.sql",
        "applied",
        ["by", psycopg.conninfo.conninfo_to_dict(url)["user"]],
    )
    write(tmp_path, "0001_repair.sql", REPAIR + "-- edited")
    (value,) = json.loads(novaops("migrations", *call, "--format", "json").stdout)["migrations"]
    assert (value["state"], value["checksum"] != value["recorded_checksum"]) == ("edited", True)
    assert novaops("plan", *call).returncode == 1
    accepted = novaops("migrations", "accept", "0001_repair.sql", *call)
    assert (accepted.returncode, accepted.stderr) == (0, "✓ 0001_repair.sql counts as done\n")
    assert novaops("plan", *call, "--check").returncode == 3


def test_dry_run(novaops, call, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_repair.sql", REPAIR)
    shown = novaops("migrations", "run", "--dry-run", *call)
    assert shown.returncode == 0, shown.stderr
    assert "✓ ran on a copy of the schema, which holds no rows" in shown.stdout
    assert count(url, "SELECT count(*) FROM users WHERE email IS NULL") == 1
    write(tmp_path, "0002_bad.sql", "SELECT 1,\n  nowhere FROM users;")
    failed = novaops("migrations", "run", "--dry-run", *call)
    assert failed.returncode == 1
    assert "pre-migrations/0002_bad.sql:2:3: error[42703]" in failed.stdout
    as_json = novaops("migrations", "run", "--dry-run", *call, "--format", "json")
    assert "nowhere" in json.loads(as_json.stdout)["rehearsal"]["error"]
    write(tmp_path, "0002_bad.sql", "TRUNCATE users;")
    assert novaops("migrations", "run", "--dry-run", *call).returncode == 4


def test_nothing_is_asked_without_a_terminal(novaops, call, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_repair.sql", REPAIR)
    for command in ("run", "adopt"):
        asked = novaops("migrations", command, *call, input="y\n")
        assert asked.returncode == 2
        assert "--yes" in asked.stderr
    assert count(url, "SELECT to_regclass('novaops.migrations')") is None
    adopted = novaops("migrations", "adopt", *call, "--yes")
    assert (
        adopted.stdout == "1 file to record as having run (all files that are pending)\n  0001_repair.sql\n"
    )
    assert novaops("migrations", *call).stdout.split()[:2] == ["0001_repair.sql", "adopted"]


def test_a_fresh_database_needs_none_of_them(novaops, call, new_database, tmp_path: Path) -> None:
    write(tmp_path, "0001_repair.sql", REPAIR)
    fresh = new_database("cli")
    plan = novaops("plan", "--url", fresh)
    assert "0001_repair.sql  (not needed)" in plan.stdout
    assert novaops("apply", "--url", fresh, "--yes").returncode == 0
    assert novaops("migrations", "--url", fresh).stdout.split()[:3] == ["0001_repair.sql", "not", "needed"]


def test_a_folder_that_is_named_must_be_there(novaops, call, tmp_path: Path) -> None:
    missing = novaops("plan", *call, "--pre-migrations", "elsewhere")
    assert missing.returncode == 2
    assert "there is no folder elsewhere" in missing.stderr
    (tmp_path / "pre-migrations").rmdir()
    assert novaops("plan", *call).returncode == 0


def test_the_folder_can_be_configured(novaops, call, tmp_path: Path) -> None:
    (tmp_path / "repairs").mkdir()
    (tmp_path / "repairs/0001.sql").write_text("SELECT 1;")
    (tmp_path / "novaops.toml").write_text('[schema]\npre_migrations = "repairs"\n')
    assert novaops("migrations", *call).stdout.split() == ["0001.sql", "pending"]


def test_the_script_for_psql_includes_them(novaops, call, psql, url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_repair.sql", f"BEGIN;\n{REPAIR}COMMIT;\n")
    write(tmp_path, "0002_after.post.sql", "COMMENT ON COLUMN users.email IS 'after';")
    folder = str(tmp_path / "pre-migrations")
    script = novaops("plan", *call, "--pre-migrations", folder, "--format", "sql").stdout
    lines = script.splitlines()
    assert lines[lines.index(f"\\i '{folder}/0001_repair.sql'") - 1].startswith("-- 0001_repair.sql")
    assert lines[lines.index(f"\\i '{folder}/0002_after.post.sql'") - 1] == "BEGIN;"
    psql(url, input=script)
    assert count(url, "SELECT email FROM users WHERE id = 2") == ""
    assert count(url, "SELECT col_description('users'::regclass, 2)") == "after"
    assert count(url, "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum = 2")
