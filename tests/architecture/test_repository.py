"""What may not be in the repository: hosts of package registries, lock files, paths of one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org")
LOCK_FILES = {"poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "package-lock.json"}
# Folders of users and of scratch files; /var/lib, /etc and the like are the same on every machine.
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:home|Users|root|work|tmp)/[\w.-]+")


def tracked() -> list[Path]:
    """Files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


FILES = tracked()


def found(pattern: re.Pattern[str]) -> list[str]:
    hits = []
    for file in FILES:
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1):
            hits += [f"{file.relative_to(ROOT)}:{number}: {hit}" for hit in pattern.findall(line)]
    return hits


def test_there_are_files() -> None:
    assert ROOT / "pyproject.toml" in FILES
    assert Path(__file__) in FILES


def test_no_registry_is_named() -> None:
    assert found(re.compile("|".join(map(re.escape, REGISTRIES)))) == []


def test_no_lock_files() -> None:
    assert [file for file in FILES if file.name in LOCK_FILES] == []


def test_no_paths_of_one_machine() -> None:
    assert found(MACHINE_PATH) == []


@pytest.mark.parametrize("folder", ["home", "Users", "root", "work", "tmp"])
def test_paths_of_one_machine_are_recognised(folder: str) -> None:
    for text in (f"/{folder}/novaops", f"= '/{folder}/novaops'", f"file:///{folder}/novaops"):
        assert MACHINE_PATH.search(text)
    assert not MACHINE_PATH.search(f"share/{folder}/novaops")


def test_requirements_are_pinned() -> None:
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
