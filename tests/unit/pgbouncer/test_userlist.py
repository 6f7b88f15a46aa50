"""userlist.txt as pgbouncer reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from novaops.pgbouncer.names import quote_user
from novaops.pgbouncer.scram import kind_of, masked, matches
from novaops.pgbouncer.userlist import read_userlist

FILE = Path("userlist.txt")
# The example of RFC 7677: the password is "pencil".
VERIFIER = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)


def test_users_quotes_and_comments() -> None:
    found = read_userlist(FILE, '; c\n"a" "x"\n\n  "b ""q""" "y""z" trailing\n"c"\n"d"\n')
    assert found.secrets() == {"a": "x", 'b "q"': 'y"z', "c": "d"}
    assert [u.source.line for u in found.users] == [2, 4, 5]
    assert found.problems == ()


def test_a_hash_is_no_comment() -> None:
    found = read_userlist(FILE, '"a" "x"\n# c\n"b" "y"\n')
    assert list(found.secrets()) == ["a"]
    (problem,) = found.problems
    assert problem.source.line == 2
    assert "later users have no password" in problem.message
    assert problem.hint == "write ; instead of #"


@pytest.mark.parametrize("text", ['"a" "geheim', '"a"', "a b", f'"{"u" * 128}" "x"', f'"a" "{"s" * 2048}"'])
def test_what_it_stops_at_is_named_without_a_secret(text: str) -> None:
    (problem,) = read_userlist(FILE, text).problems
    assert "geheim" not in problem.message
    assert problem.text is None


def test_of_two_equal_users_the_last_counts() -> None:
    found = read_userlist(FILE, '"a" "x"\n"a" "y"\n')
    assert found.secrets() == {"a": "y"}
    ((first, last),) = found.duplicates()
    assert (first.source.line, last.source.line) == (1, 2)


def test_nothing_shows_a_secret() -> None:
    assert "geheim" not in repr(read_userlist(FILE, '"a" "geheim"'))


@pytest.mark.parametrize("text", ["a", 'a"b', '""', "a b#c;d", "名"])
def test_what_is_quoted_comes_back(text: str) -> None:
    assert read_userlist(FILE, f"{quote_user(text)} {quote_user(text)}").secrets() == {text: text}


def test_secrets_and_what_they_are() -> None:
    assert [kind_of(s) for s in (VERIFIER, "md5" + "0" * 32, "md5", "")] == ["scram", "md5", "plain", "empty"]
    assert masked("geheim") == "a password"
    assert VERIFIER[20:] not in masked(VERIFIER)
    assert matches("pencil", VERIFIER, "user") is True
    assert matches("pencils", VERIFIER, "user") is False
    assert matches("pa", "md5" + "4ea7a2f1ac2bd6a1ef0b4a17a35d6e0b", "a") is False
    assert matches("naïve", VERIFIER, "user") is None
    assert matches("x", "x", "user") is None
