"""`.pgschemaignore`: sections, patterns, exceptions, and findings with a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.diagnostics import DiagnosticsError
from novaops.ignore import Ignore, section_name
from novaops.kinds import registry

KINDS = (
    "schema",
    "table",
    "view",
    "materialized view",
    "enum",
    "policy",
    "index",
    "constraint",
    "trigger",
    "extension",
)


@pytest.fixture
def ignore(tmp_path: Path) -> Any:
    def read(text: str) -> Ignore:
        path = tmp_path / ".pgschemaignore"
        path.write_text(text)
        return Ignore.read(path, KINDS)

    return read


def obj(kind: str, *names: str, type: str | None = None) -> Object:
    schema = names[0] if len(names) > 1 else None
    return Object(Address(type or kind, names), kind, ".".join(names), schema, names[-1], {})


@pytest.mark.parametrize(
    ("pattern", "name", "matched"),
    [
        ("temp_*", "temp_a", True),
        ("temp_*", "temp_", True),
        ("temp_*", "a_temp_b", False),
        ("*_log", "audit_log", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("t", "T", False),
        ("a[b]c", "a[b]c", True),
        ("a[b]c", "abc", False),
        ("a+", "aa", False),
        ("*", "any.thing", True),
        ("public.*", "anything", True),
        ("audit.*", "anything", False),
        ("p*.any*", "anything", True),
        ("public", "anything", False),
    ],
)
def test_patterns(ignore: Any, pattern: str, name: str, matched: bool) -> None:
    assert ignore(f"[tables]\npatterns = ['{pattern}']\n").matches(obj("table", "public", name)) is matched


def test_exception_wins_wherever_it_stands(ignore: Any) -> None:
    for patterns in ("['!temp_kept', 'temp_*']", "['temp_*', '!temp_kept']", "['temp_*', '!public.temp_k*']"):
        found = ignore(f"[tables]\npatterns = {patterns}\n")
        assert found.matches(obj("table", "public", "temp_a"))
        assert not found.matches(obj("table", "public", "temp_kept"))


def test_sections_are_apart(ignore: Any) -> None:
    found = ignore("[tables]\npatterns = ['x']\n")
    assert not found.matches(obj("view", "public", "x"))
    assert not found.matches(obj("index", "public", "x"))


def test_pgschema_sections_cover_several_kinds(ignore: Any) -> None:
    found = ignore(
        "[views]\npatterns = ['x']\n[types]\npatterns = ['x']\n[constraints]\npatterns = ['x', 's.t.y']\n"
    )
    assert found.matches(obj("materialized view", "public", "x"))
    assert found.matches(obj("enum", "public", "x", type="type"))
    assert found.matches(obj("constraint", "public", "t", "x", type="table constraint"))
    assert found.matches(obj("constraint", "s", "t", "y", type="table constraint"))
    assert not found.matches(obj("constraint", "s", "u", "y", type="table constraint"))


def test_sections_of_other_kinds(ignore: Any) -> None:
    found = ignore(
        "[policies]\npatterns = ['x']\n[extensions]\npatterns = ['vector']\n[materialized_views]\npatterns = ['!x', 'm*']\n"
    )
    assert found.matches(obj("policy", "public", "t", "x"))
    assert found.matches(obj("extension", "vector"))
    assert found.matches(obj("materialized view", "public", "mine"))
    assert not found.matches(obj("view", "public", "mine"))


def test_exception_of_the_narrow_section_holds_against_the_broad_one(ignore: Any) -> None:
    found = ignore("[views]\npatterns = ['*']\n[materialized_views]\npatterns = ['!x']\n")
    assert not found.matches(obj("materialized view", "public", "x"))


def test_everything_in_an_ignored_schema(ignore: Any) -> None:
    found = ignore("[schemas]\npatterns = ['audit*', '!audit_keep']\n")
    assert found.matches(obj("schema", "audit"))
    assert found.matches(obj("table", "audit", "t"))
    assert found.matches(obj("trigger", "audit_2", "t", "g"))
    assert not found.matches(obj("table", "audit_keep", "t"))
    assert not found.matches(obj("table", "public", "audit"))


def test_grantees(ignore: Any) -> None:
    found = ignore("[privileges]\npatterns = ['app_*', 'PUBLIC']\n[default_privileges]\npatterns = ['dba']\n")
    assert found.matches_grantee("app_reader")
    assert found.matches_grantee("")  # PUBLIC, as privileges have it
    assert not found.matches_grantee("dba")
    assert found.matches_default_grantee("dba")
    assert not found.matches_default_grantee("app_reader")


def test_no_file_ignores_nothing(tmp_path: Path) -> None:
    for path in (None, tmp_path / "missing"):
        assert not Ignore.read(path, KINDS).matches(obj("table", "public", "t"))


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (
            "[tables]\npatterns = []\n\n[tabels]\npatterns = []\n",
            4,
            "unknown section [tabels]",
            "did you mean tables?",
        ),
        ("[tables]\npattern = ['x']\n", 2, "unknown key pattern in [tables]", "did you mean patterns?"),
        ("[tables]\n\npatterns = 'x'\n", 3, "must be a list of names", "patterns = "),
        ("[tables]\npatterns = ['a', 1]\n", 2, "must be a list of names", "patterns = "),
        ("[tables]\npatterns = ['!']\n", 2, "must be a list of names", "patterns = "),
        ("tables = ['x']\n", 1, "tables is not a section", "write [tables]"),
        ("[tables\n", 1, "Expected", None),
    ],
)
def test_findings(ignore: Any, text: str, line: int, message: str, hint: str | None) -> None:
    with pytest.raises(DiagnosticsError) as failed:
        ignore(text)
    found = failed.value.diagnostics[0]
    assert (found.source.line, message in found.message) == (line, True)
    assert hint is None or hint in (found.hint or "")


def test_all_findings_at_once(ignore: Any) -> None:
    with pytest.raises(DiagnosticsError) as failed:
        ignore("[a]\n[tables]\nx = 1\ny = 2\n")
    assert len(failed.value.diagnostics) == 3


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        ("table", "tables"),
        ("materialized view", "materialized_views"),
        ("policy", "policies"),
        ("index", "indexes"),
        ("statistics", "statistics"),
        ("foreign-data wrapper", "foreign_data_wrappers"),
        ("operator class", "operator_classes"),
        ("operator family", "operator_families"),
        ("text search dictionary", "text_search_dictionaries"),
    ],
)
def test_section_names(kind: str, section: str) -> None:
    assert section_name(kind) == section


def test_every_kind_has_a_section_of_its_own() -> None:
    assert len({section_name(kind) for kind in registry()}) == len(registry())
