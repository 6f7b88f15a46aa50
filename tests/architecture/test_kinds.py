"""A kind of object is one module and one .sql file, and nothing else knows it by name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from novaops.kinds import registry

PACKAGE = Path(__file__).parents[2] / "novaops"
KINDS = PACKAGE / "kinds"
NAMES = sorted(registry())
MODULES = {type(kind).__module__.rpartition(".")[2] for kind in registry().values()}
# What decides by comparing and by pg_depend alone; the other files of planning may know kinds.
GENERIC = (
    "planning/diff.py",
    "planning/closure.py",
    "planning/nodes.py",
    "planning/wiring.py",
    "planning/order.py",
)


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def texts(file: Path) -> set[str]:
    """String constants of a module, without the docstrings."""
    module = tree(file)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        ast.get_docstring(node, clean=False) for node in ast.walk(module) if isinstance(node, documented)
    }
    return {
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings
    }


def test_there_are_kinds() -> None:
    assert {"schema", "table", "function", "view"} <= set(NAMES)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_is_one_module_and_one_query(module: str) -> None:
    assert (KINDS / f"{module}.py").is_file()
    assert (KINDS / f"{module}.sql").is_file()


def test_no_query_is_left_over() -> None:
    assert {file.stem for file in KINDS.glob("*.sql")} == MODULES


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_no_other_kind(module: str) -> None:
    names = {
        part
        for node in ast.walk(tree(KINDS / f"{module}.py"))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("novaops.kinds")
        for part in (node.module.rpartition(".")[2], *(alias.name for alias in node.names))
    }
    assert names & MODULES == set()


@pytest.mark.parametrize("file", GENERIC)
def test_generic_code_names_no_kind(file: str) -> None:
    assert texts(PACKAGE / file) & set(NAMES) == set()


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: str(f.relative_to(PACKAGE)))
def test_files_stay_small(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 400
