"""What apply says when it has dropped something and not created it again."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from novaops.cli.repeated import without_password
from tests.integration.journal.test_missing import DECLARED, LIVE, POLICY, interrupt


@pytest.fixture
def secrets(new_database: Callable[..., str], tmp_path: Path) -> tuple[str, Path]:
    url, file = new_database("missing"), tmp_path / "schema.sql"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LIVE)
    file.write_text(DECLARED.format(extra="n", tenant=1))
    return url, file


def interruptible() -> None:
    """Take SIGINT, which a process in the background of a shell ignores and its children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def one_by_one(novaops, url: str, file: Path, folder: Path) -> Path:
    """A saved plan that commits each statement, and changes `logs` while the policy is missing."""
    saved = folder / "plan.json"
    assert novaops("plan", "--url", url, "--file", file, "--out", saved).returncode == 0
    made = json.loads(saved.read_text())
    for number, statement in enumerate(made["statements"], 1):
        statement["transaction"] = number
    order = [s for s in made["statements"] if "logs" not in s["sql"]]
    logs = [s for s in made["statements"] if "logs" in s["sql"]]
    at = next(n for n, s in enumerate(order) if s["sql"].startswith("CREATE POLICY"))
    made["statements"] = [*order[:at], *logs, *order[at:]]
    saved.write_text(json.dumps(made))
    return saved


def test_the_command_line_names_what_is_missing_and_what_restores_it(
    novaops, secrets: tuple[str, Path], tmp_path: Path
) -> None:
    url, file = secrets
    saved = one_by_one(novaops, url, file, tmp_path)
    with psycopg.connect(url) as reader:
        reader.execute("SELECT * FROM logs")
        failed = novaops("apply", saved, "--url", url, "--yes", "--no-rehearse", NOVAOPS_LOCK_TIMEOUT="100ms")
    assert failed.returncode == 1, failed.stderr
    assert f"missing  {POLICY}" in failed.stderr
    assert failed.stderr.rstrip().splitlines()[-1].startswith(f"restore  novaops apply {saved} ")
    shown = novaops("history", "--url", url)
    assert f"missing since history 1  {POLICY}" in shown.stdout
    assert f"missing since history 1  {POLICY}" in novaops("history", "1", "--url", url).stdout
    words = shlex.split(failed.stderr.rstrip().splitlines()[-1])[2:]
    again = novaops(*words)
    assert again.returncode == 0, again.stderr
    assert "missing" not in novaops("history", "--url", url).stdout


def test_safe_only_is_refused_with_the_command_that_restores(novaops, secrets: tuple[str, Path]) -> None:
    url, file = secrets
    interrupt(url, file, "CREATE ")
    file.write_text(DECLARED.format(extra="n", tenant=2))
    for command in ("plan", "apply"):
        refused = novaops(command, "--url", url, "--file", file, "--safe-only")
        assert refused.returncode == 4, refused.stderr
        assert "--safe-only would leave out what it has dropped" in refused.stderr
        last = refused.stderr.rstrip().splitlines()[-1]
        assert last == f"restore  novaops apply --url {shlex.quote(without_password(url))} --file {file}"


def test_an_interruption_at_the_question_says_that_nothing_was_applied(
    secrets: tuple[str, Path], environment: dict[str, str]
) -> None:
    url, file = secrets
    command = [sys.executable, "-m", "novaops", "apply", "--url", url, "--file", str(file)]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        start_new_session=True,
        env=environment,
        preexec_fn=interruptible,
    )
    os.close(slave)
    seen, stopped = "", False
    with suppress(OSError):  # the other end is closed when the process ends
        while text := os.read(master, 4096).decode(errors="replace"):
            seen += text
            if "statements to" in seen and "?" in seen and not stopped:
                stopped = True
                process.send_signal(signal.SIGINT)
    os.close(master)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing was applied" in seen
    assert "goes on from here" not in seen


def test_an_interruption_while_the_plan_runs_ends_with_what_is_missing(
    novaops, secrets: tuple[str, Path], tmp_path: Path, environment: dict[str, str]
) -> None:
    url, file = secrets
    saved = one_by_one(novaops, url, file, tmp_path)
    command = [sys.executable, "-m", "novaops", "apply", str(saved), "--url", url, "--yes", "--no-rehearse"]
    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as watcher:
        reader.execute("SELECT * FROM logs")
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=interruptible,
        )
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'logs'::regclass AND NOT granted"
        while watcher.execute(waiting).fetchone() == (0,):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; the same command goes on from here" in told
    assert f"missing  {POLICY}" in told
    again = novaops(*shlex.split(told.rstrip().splitlines()[-1])[2:])
    assert again.returncode == 0, again.stderr


def test_a_statement_that_the_rows_refuse_is_not_said_to_be_planned_otherwise(
    novaops, new_database: Callable[..., str], tmp_path: Path
) -> None:
    url, file = new_database("refused"), tmp_path / "schema.sql"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, number text); INSERT INTO t VALUES (1, 'a')")
        connection.execute(
            "CREATE FUNCTION f(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1::int; END'"
        )
    file.write_text(
        "CREATE TABLE t (id int PRIMARY KEY, number text);"
        "CREATE FUNCTION f(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1::int; END';"
        "CREATE INDEX ti ON t (f(number));"
    )
    failed = novaops("apply", "--url", url, "--file", file, "--yes")
    assert failed.returncode in (1, 4)
    assert "run `novaops plan` again" not in failed.stderr
