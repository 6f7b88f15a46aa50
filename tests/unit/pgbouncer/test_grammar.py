"""What pgbouncer.ini means to pgbouncer, and what is said about it; pgbouncer itself is asked in the integration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from novaops.pgbouncer.grammar import parse_pairs, read_ini
from novaops.pgbouncer.names import quote_key, quote_value, refuse_alias, refuse_name, refuse_secret
from novaops.pgbouncer.version import OLDEST, Version, parse_version

INI = Path("pgbouncer.ini")
NEW = Version(1, 25)


def test_entries_know_their_place() -> None:
    ini = read_ini(INI, "; c\n[databases]\n a = host=h dbname=d\n[pgbouncer]\nlisten_port = 6432\n")
    assert not ini.problems
    entry = ini.databases()["a"]
    assert (entry.source.line, entry.pairs) == (3, {"host": "h", "dbname": "d"})
    assert ini.setting("listen_port") == "6432"
    assert ini.setting("listen_addr", "none") == "none"


def test_of_two_equal_names_the_last_counts() -> None:
    ini = read_ini(INI, "[databases]\na = host=1\na = host=2\n[pgbouncer]\n")
    assert ini.databases()["a"].pairs == {"host": "2"}
    ((first, last),) = ini.duplicates()
    assert (first.source.line, last.source.line) == (2, 3)


def test_an_include_goes_on_in_its_own_section(tmp_path: Path) -> None:
    (tmp_path / "inc.ini").write_text("b = host=2\n[users]\n")
    ini = read_ini(
        INI, "[databases]\n%include inc.ini\nc = pool_mode=session\n[pgbouncer]\n", directory=tmp_path
    )
    assert list(ini.databases()) == ["b"]
    assert [e.section for e in ini.entries] == ["databases", "users"]
    assert [m.kind for m in ini.marks] == ["header", "include", "pair", "header"]
    assert "b = host=2" in ini.expanded
    assert "%include" not in ini.expanded


def test_an_include_that_is_missing_is_an_error_at_its_line() -> None:
    (problem,) = read_ini(INI, "[databases]\n%include /nowhere/x\n[pgbouncer]\n").errors
    assert problem.source.line == 2
    assert "No such file" in problem.message


def test_files_that_include_themselves_end(tmp_path: Path) -> None:
    (tmp_path / "a.ini").write_text("%include a.ini\n")
    ini = read_ini(INI, "[pgbouncer]\n%include a.ini\n", directory=tmp_path)
    assert "include one another" in ini.errors[0].message


def test_a_second_main_section_is_a_warning() -> None:
    (problem,) = read_ini(INI, "[pgbouncer]\na = 1\n[pgbouncer]\n").problems
    assert (problem.severity, problem.code, problem.source.line) == ("warning", "second-section", 3)


def test_a_pool_size_that_is_no_number_is_a_warning() -> None:
    (problem,) = read_ini(INI, "[databases]\na = pool_size=abc\n[pgbouncer]\n").problems
    assert "pgbouncer reads 0" in problem.message


def test_no_line_with_a_password_is_shown() -> None:
    (problem,) = read_ini(INI, "[databases]\na = password=geheim oops\n[pgbouncer]\n").errors
    assert problem.text is None
    assert "geheim" not in problem.message


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("  host=h   port=1 ", {"host": "h", "port": "1"}),
        ("dbname='it''s' host=h", {"dbname": "it's", "host": "h"}),
        ("dbname = 'a b'", {"dbname": "a b"}),
        ("host=h\tport=1", {"host": "h\tport=1"}),
        ('dbname="x', {"dbname": '"x'}),
        ("dbname='x'yport=1", {"dbname": "x", "port": "1"}),  # whatever follows a quote is swallowed
    ],
)
def test_pairs(text: str, pairs: dict[str, str]) -> None:
    assert parse_pairs(text) == pairs


@pytest.mark.parametrize("text", ["host=", "host='' port=1", "host", "=x", "dbname='open", "host=a b"])
def test_what_is_no_pair(text: str) -> None:
    assert isinstance(parse_pairs(text), str)


@pytest.mark.parametrize("name", ["two words", "名前", "it's", "a#b", '"; drop', "a=b", "[x]"])
def test_names_that_only_newer_versions_can_express(name: str) -> None:
    refused = refuse_alias(name, OLDEST)
    assert refused is not None
    assert "1.18" in refused.reason
    assert refuse_alias(name, NEW) is None
    text = f"[databases]\n{quote_key(name, NEW)} = host=h\n[pgbouncer]\n"
    assert list(read_ini(INI, text, NEW).databases()) == [name]
    assert read_ini(INI, text, OLDEST).errors


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "x" * 64, "é" * 32, "pgbouncer", "*", "\ud800"])
def test_names_that_no_version_can_express(name: str) -> None:
    for version in (OLDEST, NEW):
        refused = refuse_alias(name, version)
        assert refused is not None
        assert refused.reason
        assert refused.hint


@pytest.mark.parametrize("name", ["argus_memory", "a.b-c*", "x" * 63, "9"])
def test_plain_names_are_written_as_they_are(name: str) -> None:
    assert refuse_alias(name) is None
    assert quote_key(name) == name


def test_the_console_is_no_reserved_name_of_a_database_or_role() -> None:
    assert refuse_name("pgbouncer") is None
    assert refuse_name("two words") is None


@pytest.mark.parametrize("value", ["a", "a b", "it's", "'", "a=b", "名", "x#y;z", "\\"])
def test_values_come_back(value: str) -> None:
    assert parse_pairs(f"dbname={quote_value(value)} port=1") == {"dbname": value, "port": "1"}


@pytest.mark.parametrize("secret", ["", "a\nb", "a\rb", "a\x00b", "x" * 2048, '"' * 1024])
def test_secrets_that_are_refused_are_not_shown(secret: str) -> None:
    refused = refuse_secret(secret)
    assert refused is not None
    assert not secret or secret not in refused.reason + refused.hint


def test_versions() -> None:
    assert parse_version("PgBouncer 1.18.0\nlibevent 2.1.12") == Version(1, 18)
    assert Version(1, 9) < Version(1, 18) < Version(1, 25, 1)
    assert not OLDEST.quotes_keys
    assert NEW.quotes_keys
    assert str(Version(1, 25, 1)) == "1.25.1"


def test_sections_and_keys_of_newer_versions() -> None:
    text = "[peers]\n1 = host=h\n[databases]\na = load_balance_hosts=disable\n[pgbouncer]\n"
    assert read_ini(INI, text, NEW).errors == ()
    assert "unknown section [peers]" in read_ini(INI, text, OLDEST).errors[0].message
