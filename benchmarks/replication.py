"""How long a row takes from the commit on the source to a listener on the target.

    python benchmarks/replication.py [--rows 1000] [--history 10000] [--record FILE]

Starts an embedded server in a folder of its own, installs the project's schema in two databases, sets up the replication
of agent_chat that novaops.toml declares, and again, which must change nothing. Then rows are sent one
by one with send_agent_message(), each when the one before was heard. Beside it stands what a listener on the
source itself sees, in the same run: that much is the machine and NOTIFY, the rest is replication.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg

from novaops.db.embedded import EmbeddedServer, unprivileged_account
from novaops.project import Options, Project
from novaops.replication.declaration import Endpoint, Replication
from novaops.replication.declared import declared, reached_by
from novaops.replication.pair import open_pair
from novaops.replication.set_up import set_up

ROOT = Path(__file__).parents[1]
SOURCE, TARGET = "nova_memory", "graybeard_memory"
SEND = "SELECT send_agent_message('nova', 'message ' || %s, ARRAY['graybeard'])"
PATIENCE = 10.0
"""Seconds that a row is waited for."""
SETTINGS = {"max_locks_per_transaction": "1024", "wal_level": "logical"}


@dataclass(frozen=True)
class Result:
    """Seconds."""

    version: str
    rows: int
    history: int
    set_up: float
    again: float
    replicated: Sequence[float]
    local: Sequence[float]
    lost: int


def measure(server: EmbeddedServer, passfile: Path, rows: int, history: int) -> Result:
    for name in (SOURCE, TARGET):
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with Project(server.url(name), ROOT / "schema/schema.sql", Options(ignore_file=None)) as project:
            project.apply(allow=["all"], rehearse=False)
    with psycopg.connect(server.url(SOURCE), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO agents (name, access_method) VALUES ('nova', 'cli'), ('graybeard', 'cli')"
        )
        connection.execute(
            "INSERT INTO agent_chat (sender, message, recipients)"
            " SELECT 'nova', 'old ' || i, ARRAY['graybeard'] FROM generate_series(1, %s) i",
            [history],
        )
    base = Endpoint.of({**server.connection_parameters(), "dbname": SOURCE})
    (declaration,) = (r for r in declared(ROOT / "novaops.toml", base) if r.target.database == TARGET)
    replication = reached_by(declaration, f"host=127.0.0.1 passfile={passfile}")
    first, second = set_up_twice(replication)
    with psycopg.connect(server.url(TARGET), autocommit=True) as listener:
        replicated, lost = latencies(server.url(SOURCE), listener, rows)
    with psycopg.connect(server.url(SOURCE), autocommit=True) as listener:
        local, _ = latencies(server.url(SOURCE), listener, rows)
        version = listener.info.parameter_status("server_version") or "?"
    return Result(version.split()[0], rows, history, first, second, replicated, local, lost)


def set_up_twice(replication: Replication) -> tuple[float, float]:
    """Seconds of the set-up, and of the second run, which must find nothing to do."""
    with open_pair(replication) as pair:
        first, second = set_up(pair, replication), set_up(pair, replication)
    if second.done:
        sys.exit(f"the second run changed something: {second.done}")
    return first.seconds, second.seconds


def latencies(source: str, listener: psycopg.Connection, rows: int) -> tuple[list[float], int]:
    """Seconds of each row that was heard, and how many were not."""
    listener.execute("LISTEN agent_chat")
    found, lost = [], 0
    with psycopg.connect(source, autocommit=True) as connection:
        for number in range(rows):
            begun = time.perf_counter()
            connection.execute(SEND, [number])
            if list(listener.notifies(timeout=PATIENCE, stop_after=1)):
                found.append(time.perf_counter() - begun)
            else:
                lost += 1
    return found, lost


def percentiles(seconds: Sequence[float]) -> tuple[float, float, float, float]:
    """Half of them, 90 and 99 of a hundred, and all of them took no longer; milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return tuple(1000 * value for value in (cuts[49], cuts[89], cuts[98], max(seconds)))  # type: ignore[return-value]


def report(result: Result) -> str:
    """The figures as markdown."""
    ours, theirs = percentiles(result.replicated), percentiles(result.local)
    load = os.getloadavg()[0]
    lines = [
        f"## {date.today()}",
        "",
        f"PostgreSQL {result.version}, both databases on one server, {os.cpu_count()} cores ({platform.machine()}), "
        f"load average {load:.1f}. Set-up with {result.history:,} rows of history, proof and all: {result.set_up:.1f} s; "
        f"run again: {result.again:.1f} s, nothing changed. {result.lost} of {result.rows:,} rows were not heard.",
        "",
        "| from the commit to the listener | p50 | p90 | p99 | longest |",
        "|---|---:|---:|---:|---:|",
        "| on the target, replicated | " + " | ".join(f"{value:.1f} ms" for value in ours) + " |",
        "| on the source itself | " + " | ".join(f"{value:.1f} ms" for value in theirs) + " |",
        "| ratio | " + " | ".join(f"{a / b:.1f}" for a, b in zip(ours, theirs, strict=True)) + " |",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--history", type=int, default=10_000)
    parser.add_argument("--record", type=Path, help="append the figures to this file")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="novaops-"))
    folder.chmod(0o711)
    try:
        with EmbeddedServer(folder / "server", settings=SETTINGS).running() as server:
            passfile = folder / "passfile"
            shutil.copy(server.passfile, passfile)
            passfile.chmod(0o600)
            if (account := unprivileged_account()) is not None:
                os.chown(passfile, account.pw_uid, account.pw_gid)
            text = report(measure(server, passfile, arguments.rows, arguments.history))
    finally:
        shutil.rmtree(folder)
    print(text)
    if arguments.record:
        with arguments.record.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")


if __name__ == "__main__":
    main()
