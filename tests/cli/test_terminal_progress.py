"""What somebody at a terminal sees while an index is built."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg


def test_the_phase_of_an_index_is_shown_and_who_is_waited_for(
    new_database: Callable[..., str], tmp_path: Path, environment: dict[str, str]
) -> None:
    url = new_database("terminal")
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (a int);\nCREATE INDEX t_a ON t (a);\n")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    command = [
        sys.executable,
        "-m",
        "novaops",
        "apply",
        "--yes",
        "--no-rehearse",
        "--url",
        url,
        "--file",
        "schema.sql",
    ]
    master, slave = pty.openpty()
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=slave, cwd=tmp_path, env={**environment, "COLUMNS": "160"}
        )
        os.close(slave)
        seen = ""
        who = f"waiting for older transactions to end: pid {other.info.backend_pid} (postgres, idle in transaction"
        with suppress(OSError):  # the other end is closed when the process ends
            while text := os.read(master, 4096).decode(errors="replace"):
                seen += text
                if "waiting for writers before build" in seen and who in seen:
                    other.rollback()
    os.close(master)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert "waiting for writers before build" in seen
    assert who in seen
