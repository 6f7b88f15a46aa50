"""How the time that novaops takes grows with the schema, and with its disorder.

    python benchmarks/size.py URL [TABLES]

Makes databases on the server of URL, drops them, and prints ratios, which depend on the machine much less
than seconds do. Growth from TABLES (500) to twice as many should be about 2; a file in random order should
take less than 3 times as long as the same file in order.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from novaops.project import Options, Project

DATABASE = "novaops_benchmark"


def statements(tables: int) -> list[str]:
    """Tables with what usually belongs to them, in an order in which they can run."""
    made = ["CREATE TYPE state AS ENUM ('new', 'old')"]
    for i in range(tables):
        parent = f", parent bigint REFERENCES t{i - 7} (id)" if i % 3 == 0 and i > 7 else ""
        made += [
            f"CREATE TABLE t{i} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,"
            f" state state DEFAULT 'new', amount numeric CHECK (amount >= 0){parent})",
            f"CREATE INDEX ON t{i} (name)",
            f"COMMENT ON TABLE t{i} IS 'number {i}'",
        ]
        if i % 10 == 0:
            made.append(f"CREATE VIEW v{i} AS SELECT id, state FROM t{i} WHERE amount > 0")
    return made


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


@contextmanager
def database(url: str) -> Iterator[str]:
    """A new database on the server of `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        try:
            yield make_conninfo(url, dbname=DATABASE)
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def measured(url: str, tables: int) -> dict[str, float]:
    """Seconds of each command for a schema of that many tables."""
    in_order = statements(tables)
    shuffled = random.Random(tables).sample(in_order, len(in_order))  # noqa: S311
    with tempfile.TemporaryDirectory() as folder, database(url) as target:
        file, disorder = Path(folder) / "schema.sql", Path(folder) / "disorder.sql"
        file.write_text(";\n".join(in_order))
        disorder.write_text(";\n".join(shuffled))
        options = Options(ignore_file=None)
        with Project(target, file, options) as project, Project(target, disorder, options) as other:
            return {
                "apply": timed(project.apply),
                "plan": timed(project.plan),
                "dump": timed(project.dump),
                "plan out of order": timed(other.plan),
            }


def main() -> None:
    url, tables = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 500
    once, twice = measured(url, tables), measured(url, 2 * tables)
    for command in once:
        print(f"{command}, {2 * tables} tables : {tables} tables  {twice[command] / once[command]:.1f}")
    print(f"out of order : in order  {twice['plan out of order'] / twice['plan']:.1f}")


if __name__ == "__main__":
    main()
