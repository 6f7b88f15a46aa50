"""The README's library example does what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
PACKAGE_ROOT = README.parent
URL = '"postgresql://localhost/shop"'


def block(language: str) -> str:
    """The only fenced block of a language in the README's section on the library."""
    section = README.read_text().partition("## As a library")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(found)


def test_library_example(new_database: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "shop.sql").write_text(block("sql"))
    program = block("python")
    assert program.count(URL) == 1
    result = subprocess.run(
        [sys.executable, "-c", program.replace(URL, repr(new_database("shop")))],
        cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(PACKAGE_ROOT)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout == block("text")
