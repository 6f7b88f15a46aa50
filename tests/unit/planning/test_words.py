"""Plans speak of attributes in words, not in the letters of the catalogs or in values of Python."""

from __future__ import annotations

import re
from typing import Any

import pytest

from novaops.kinds import registry
from novaops.kinds.words import in_words

# The columns of type "char" (src/include/catalog) that kinds read.
LETTERS = [
    "relpersistence",
    "relreplident",
    "attidentity",
    "attgenerated",
    "attstorage",
    "attcompression",
    "contype",
    "polcmd",
    "castmethod",
    "castcontext",
    "collprovider",
    "aggkind",
    "prokind",
    "provolatile",
    "proparallel",
    "typalign",
    "typstorage",
    "amtype",
    "tgenabled",
    "ev_enabled",
    "evtenabled",
    "stxkind",
]


def attributes_of_letters() -> list[tuple[str, str]]:
    found = set()
    for name, kind in registry().items():
        for line in kind.sql().splitlines():
            match = re.search(r"::text(?:\[\])?(?: END)? AS (\w+)", line)
            if match and not match[1].startswith("_") and any(f".{each}" in line for each in LETTERS):
                found.add((name, match[1]))
    return sorted(found)


def test_there_are_some() -> None:
    found = attributes_of_letters()
    assert {("table", "persistence"), ("statistics object", "kinds"), ("column", "compression")} <= set(found)


@pytest.mark.parametrize(("kind", "attribute"), attributes_of_letters())
def test_letters_have_words(kind: str, attribute: str) -> None:
    assert registry()[kind].words.get(attribute)


@pytest.mark.parametrize(
    ("name", "old", "new", "text"),
    [
        ("security_definer", False, True, "security definer: no → yes"),
        ("options", ("security_invoker=true",), None, "options: - security_invoker=true"),
        ("options", ("a=1", "b=2"), ("a=2", "b=2"), "options: - a=1, + a=2"),
        ("options", ("a=1", "b=2"), ("b=2", "a=1"), "options: another order"),
        ("parents", ("public.p",), (), "parents: - public.p"),
        ("columns", (("id", "integer", None),), (("id", "bigint", None),), "columns: - id integer, + id bigint"),
        ("statistics", None, {"1": 500}, "statistics: + 1=500"),
        ("type", "integer", None, "type: integer → none"),
        ("definition", "x" * 61, "y", "definition changed"),
        ("body", "a\nb", "y", "body changed"),
        ("labels", ("a",) * 2, tuple(f"label {n}" for n in range(40)), "labels: 2 removed, 40 added"),
    ],
)  # fmt: skip
def test_in_words(name: str, old: Any, new: Any, text: str) -> None:
    assert in_words(name, old, new, {}) == text


def test_letters_in_words() -> None:
    table, column = registry()["table"], registry()["column"]
    assert in_words("persistence", "p", "u", table.words["persistence"]) == "persistence: logged → unlogged"
    words = column.words["identity_generation"]
    assert in_words("identity_generation", "a", "", words) == "identity generation: ALWAYS → none"
