"""The layers of the package are what pyproject.toml says, and third-party packages stay in their place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "novaops"
# Third-party package: the only part of novaops that may import it.
PLACES = {"rich": "output", "click": "cli", "sqlglot": "desired"}


def imported(file: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            yield str(node.module)


def test_import_contracts_are_kept() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 kept, 0 broken" in result.stdout


@pytest.mark.parametrize(("package", "place"), PLACES.items())
def test_third_party_packages_stay_in_their_place(package: str, place: str) -> None:
    importing = {
        file.relative_to(PACKAGE).parts[0]
        for file in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == package for name in imported(file))
    }
    assert importing - {place} == set()


def test_help_loads_nothing_heavy() -> None:
    """`novaops --help` is what shells complete from: it may not wait for libraries it does not need."""
    program = (
        "import sys\n"
        "from novaops.cli import main\n"
        "sys.argv = ['novaops', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert end.code in (0, None), end.code\n"
        "heavy = {'psycopg', 'sqlglot', 'rich', 'jinja2', 'tomlkit'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "plan" in result.stdout
    assert "apply" in result.stdout
