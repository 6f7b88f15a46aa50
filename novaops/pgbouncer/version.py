"""Which pgbouncer there is, and what its version can do."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from novaops.errors import NovaopsError

PROGRAM = "pgbouncer"
# Debian installs it where the PATH of an ordinary user does not look.
PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin")
NUMBER = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of pgbouncer; later ones compare greater."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" + (f".{self.patch}" if self.patch else "")

    @property
    def quotes_keys(self) -> bool:
        """Whether a key of the ini may stand in single quotes, and so hold any character.

        Before 1.25 the manual says that double quotes do; every parser refuses them.
        """
        return self >= Version(1, 25)


OLDEST = Version(1, 18)
"""What is assumed where no pgbouncer is at hand: what it can express, all later ones can."""


def parse_version(text: str) -> Version:
    """The version in `pgbouncer --version`, `SHOW VERSION` or a setting ("1.18")."""
    found = NUMBER.search(text)
    if found is None:
        raise NovaopsError(f"{text.strip()!r} is no version of pgbouncer", hint="write it like 1.18")
    return Version(int(found[1]), int(found[2]), int(found[3] or 0))


def find_program(given: str | None = None) -> Path | None:
    """The program; `given` is a path or a name. None where there is none."""
    for name in [given] if given else [PROGRAM, *(f"{place}/{PROGRAM}" for place in PLACES)]:
        if path := shutil.which(name):
            return Path(path)
    if given:
        raise NovaopsError(
            f"there is no program {given}",
            hint="correct program in [pgbouncer] of novaops.toml, or leave it out",
        )
    return None


def program_version(program: Path) -> Version:
    """What `pgbouncer --version` says."""
    result = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)  # noqa: S603
    if result.returncode != 0:
        raise NovaopsError(f"{program} --version failed", detail=(result.stderr or result.stdout).strip())
    return parse_version(result.stdout)
