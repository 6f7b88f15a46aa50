"""Pairs of schemas from elsewhere, judged by pg_dump: a fixed sample, where they lie beside the checkout.

`make corpus` runs all of them, in every mode.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from novaops.db.embedded import wheel_binaries

SHARED = Path(__file__).parents[3] / "shared"
JUDGE, CORPUS = SHARED / "judge/converge.py", SHARED / "corpus"
SAMPLE = 40
"""Every so many cases."""


def sets() -> list[str]:
    found = sorted(p.name for p in CORPUS.iterdir() if p.is_dir()) if CORPUS.is_dir() else []
    return [name for name in found if any((CORPUS / name).rglob("old.sql"))]


@pytest.mark.skipif(not sets(), reason="there is no corpus beside this checkout")
@pytest.mark.parametrize("name", sets())
def test_sample_converges(name: str, server_url: str) -> None:
    known = conninfo_to_dict(server_url)
    place = f"postgresql://{known['user']}@{known['host']}:{known['port']}/postgres"
    environment = {
        **os.environ,
        "PGPASSFILE": str(known.get("passfile") or ""),
        "PG_DUMP": str(wheel_binaries() / "bin/pg_dump"),
        "NOVAOPS": f"{sys.executable} -m novaops",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    result = subprocess.run(
        [sys.executable, JUDGE, "--url", place, "--pairs", CORPUS / name, "--every", str(SAMPLE), "--prefix", f"judge_{name}"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
