"""How long a query stands still while novaops changes the tables that it uses.

    python benchmarks/load.py [--rows 1000000] [--lock-timeout 500ms] [--seconds 3] [--record FILE]

Starts an embedded server in a folder of its own. Readers and writers go on without a pause on a table of
many rows and on twenty small ones that refer to one another, while one change after the other is applied:
by `novaops apply`, rehearsal and all, and then by the plain statements that people would write. Of each
the longest time that any query took is printed; what a query takes when nothing is changed is the noise.
It must hold that no query stands still longer than one attempt's lock timeout and 100 ms.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg

from novaops.db.embedded import EmbeddedServer
from novaops.durations import parse_duration

SMALL = 20
HELD = 4
"""Seconds that a table is read for by somebody else while a lock on it is wanted."""
ALLOWED = 0.1
"""Seconds that a query may stand still beside the lock timeout."""
ITEMS = (
    "CREATE TABLE owners (id int PRIMARY KEY, name text NOT NULL);\n"
    "CREATE TABLE items (id bigint PRIMARY KEY, owner int, label varchar(40), price int, note text);\n"
)
SMALLS = [f"CREATE TABLE small_{i} (id int PRIMARY KEY, other int, note text);\n" for i in range(SMALL)]
BASE = ITEMS + "".join(SMALLS)
FILL = f"""
INSERT INTO owners SELECT i, 'owner ' || i FROM generate_series(0, 999) i;
INSERT INTO items SELECT i, i % 1000, 'label ' || i, i % 100, repeat('x', 60) FROM generate_series(1, %(rows)s) i;
{"".join(f"INSERT INTO small_{i} SELECT j, j % 100, 'x' FROM generate_series(0, 99) j;" for i in range(SMALL))}
"""
REFERRED = ["owners", *(f"small_{i}" for i in range(SMALL - 1))]


@dataclass(frozen=True)
class Scenario:
    """A change as the file declares it, as people would write it, and the way back."""

    name: str
    declared: str
    plain: Sequence[str]
    undo: str
    held: str | None = None
    """Table that somebody else goes on reading in one transaction."""


def scenarios() -> Iterator[Scenario]:
    def items(name: str, before: str, after: str, plain: str, undo: str) -> Scenario:
        return Scenario(name, BASE.replace(before, after, 1), [plain], undo)

    table = "ALTER TABLE items "
    yield items(
        "NOT NULL",
        "owner int",
        "owner int NOT NULL",
        table + "ALTER owner SET NOT NULL",
        table + "ALTER owner DROP NOT NULL",
    )
    yield items(
        "FOREIGN KEY",
        "owner int",
        "owner int REFERENCES owners (id)",
        table + "ADD CONSTRAINT items_owner_fkey FOREIGN KEY (owner) REFERENCES owners (id)",
        table + "DROP CONSTRAINT items_owner_fkey",
    )
    yield items(
        "CHECK",
        "price int",
        "price int CHECK (price >= 0)",
        table + "ADD CONSTRAINT items_price_check CHECK (price >= 0)",
        table + "DROP CONSTRAINT items_price_check",
    )
    yield items(
        "UNIQUE",
        "label varchar(40)",
        "label varchar(40) UNIQUE",
        table + "ADD CONSTRAINT items_label_key UNIQUE (label)",
        table + "DROP CONSTRAINT items_label_key",
    )
    yield items(
        "index",
        "note text);\n",
        "note text);\nCREATE INDEX items_price ON items (price);\n",
        "CREATE INDEX items_price ON items (price)",
        "DROP INDEX items_price",
    )
    yield items(
        "varchar(40) → varchar(80)",
        "varchar(40)",
        "varchar(80)",
        table + "ALTER label TYPE varchar(80)",
        table + "ALTER label TYPE varchar(40)",
    )
    references = "".join(
        small.replace("other int", f"other int REFERENCES {REFERRED[i]} (id)").replace(
            "note text", "note text, extra int"
        )
        for i, small in enumerate(SMALLS)
    )
    plain = [
        f"ALTER TABLE small_{i} ADD COLUMN extra int,"
        f" ADD CONSTRAINT small_{i}_other_fkey FOREIGN KEY (other) REFERENCES {REFERRED[i]} (id)"
        for i in range(SMALL)
    ]
    undo = ";".join(
        f"ALTER TABLE small_{i} DROP COLUMN extra, DROP CONSTRAINT small_{i}_other_fkey" for i in range(SMALL)
    )
    for held in (None, "small_7"):
        name = f"{SMALL} tables: column and FOREIGN KEY{f', one being read for {HELD} s' if held else ''}"
        yield Scenario(name, ITEMS + references, plain, undo, held)


@dataclass
class Load:
    """Readers and writers; each notes when a query began and how long it took."""

    url: str
    rows: int
    stop: threading.Event = field(default_factory=threading.Event)
    worst: float = 0.0
    queries: int = 0
    errors: list[str] = field(default_factory=list)
    running: dict[int, float] = field(default_factory=dict)

    @contextmanager
    def going_on(self, workers: int = 2) -> Iterator[None]:
        kinds: Sequence[Callable[[random.Random], str]] = (self.read, self.write)
        threads = [
            threading.Thread(target=self.work, args=(kinds[i % 2], i), daemon=True)
            for i in range(2 * workers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()

    def work(self, query: Callable[[random.Random], str], seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stop.is_set():
                sql = query(chance)
                began = time.monotonic()
                try:
                    connection.execute(sql)
                except psycopg.Error as error:
                    self.errors.append(f"{error}")
                self.worst = max(self.worst, time.monotonic() - began)
                self.queries += 1
                time.sleep(0.002)

    def read(self, chance: random.Random) -> str:
        key, table = chance.randrange(1, self.rows), chance.randrange(SMALL)
        return chance.choice(
            [
                f"SELECT price FROM items WHERE id = {key}",
                f"SELECT name FROM items i JOIN owners o ON o.id = i.owner WHERE i.id = {key}",
                f"SELECT count(*) FROM small_{table}",
            ]
        )

    def write(self, chance: random.Random) -> str:
        key, table = chance.randrange(1, self.rows), chance.randrange(SMALL)
        new = self.rows + chance.randrange(1 << 60)
        return chance.choice(
            [
                f"UPDATE items SET price = price + 1 WHERE id = {key}",
                f"INSERT INTO items VALUES ({new}, {new % 1000}, 'label {new}', 1)",
                f"UPDATE small_{table} SET note = 'y' WHERE id = {key % 100}",
            ]
        )

    def during(self, change: Callable[[], object], settle: float = 0.2) -> tuple[float, float]:
        """The longest query, and how long the change took; what it makes wait is awaited."""
        time.sleep(settle)
        self.worst, began = 0.0, time.monotonic()
        change()
        took = time.monotonic() - began
        time.sleep(settle)
        return self.worst, took


@contextmanager
def read_for_long(url: str, table: str | None, seconds: float) -> Iterator[None]:
    """A transaction that keeps ACCESS SHARE on the table, some seconds longer than somebody waits for it."""
    if table is None:
        yield
        return

    def read() -> None:
        with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as connection:
            reader.execute(f"SELECT count(*) FROM {table}")
            reading.set()
            query = "SELECT FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
            while connection.execute(query, [table]).fetchone() is None:
                time.sleep(0.02)
            time.sleep(seconds)

    reading = threading.Event()
    thread = threading.Thread(target=read)
    thread.start()
    reading.wait()
    yield
    thread.join()


def by_novaops(url: str, file: Path, timeout: str) -> None:
    command = [
        sys.executable,
        "-m",
        "novaops",
        "apply",
        "--yes",
        "--quiet",
        "--url",
        url,
        "--file",
        str(file),
    ]
    command += ["--lock-timeout", timeout]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{done.stdout}\n{done.stderr}")


def plainly(url: str, statements: Sequence[str]) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def measured(load: Load, file: Path, timeout: str) -> Iterator[str]:
    """Rows of the table."""
    bound = parse_duration(timeout).total_seconds() + ALLOWED
    for scenario in scenarios():
        file.write_text(scenario.declared)
        with read_for_long(load.url, scenario.held, HELD):
            stall, took = load.during(lambda: by_novaops(load.url, file, timeout))
        plainly(load.url, [scenario.undo])
        with read_for_long(load.url, scenario.held, HELD):
            plain, plain_took = load.during(lambda s=scenario: plainly(load.url, s.plain))
        plainly(load.url, [scenario.undo])
        verdict = "yes" if stall <= bound else "**no**"
        ratio = f"{plain / stall:.1f}"
        cells = [scenario.name, ms(stall), ms(plain), ratio, verdict, f"{took:.1f} s", f"{plain_took:.1f} s"]
        yield "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--lock-timeout", default="500ms")
    parser.add_argument("--seconds", type=float, default=5, help="how long the noise is measured")
    parser.add_argument("--record", type=Path, help="append the table to this file, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="novaops-load-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedServer(Path(folder) / "server", settings={"max_connections": "50"})
        with server.running():
            lines = list(run(server.url(), Path(folder) / "schema.sql", given))
    if given.record:
        with given.record.open("a") as record:
            record.write("\n" + "\n".join(lines) + "\n")


def run(url: str, file: Path, given: argparse.Namespace) -> Iterator[str]:
    """Lines of the report, printed as they come."""

    def said(line: str) -> str:
        print(line, flush=True)
        return line

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(BASE)
        connection.execute(FILL.replace("%(rows)s", str(given.rows)))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        version = connection.info.parameter_status("server_version")
    load = Load(url, given.rows)
    with load.going_on():
        noise, _ = load.during(lambda: time.sleep(given.seconds))
        yield said(f"## {date.today()}, lock timeout {given.lock_timeout}\n")
        yield said(
            f"PostgreSQL {version}, {given.rows:,} rows, {os.cpu_count()} cores ({platform.machine()}), load average"
            f" {os.getloadavg()[0]:.1f}. Longest query with nothing else going on: {ms(noise)}.\n"
        )
        yield said("| change | novaops | plain | plain : novaops | within | novaops took | plain took |")
        yield said("|---|---:|---:|---:|---|---:|---:|")
        for line in measured(load, file, given.lock_timeout):
            yield said(line)
    yield said(f"\n{load.queries:,} queries, {len(load.errors)} failed.{' '.join(set(load.errors))[:300]}")


if __name__ == "__main__":
    main()
