from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

PARSER = "start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype"
DICTIONARY = "CREATE TEXT SEARCH DICTIONARY s.d"
CONFIGURATION = 'CREATE TEXT SEARCH CONFIGURATION s."C" (parser = "default");'
MAPPING = 'ALTER TEXT SEARCH CONFIGURATION s."C" ADD MAPPING'
HEAD = 'ALTER TEXT SEARCH CONFIGURATION s."C"'


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("text search parser", "", f"CREATE TEXT SEARCH PARSER s.p ({PARSER})"),
        (
            "text search parser",
            f"CREATE TEXT SEARCH PARSER s.p ({PARSER})",
            f"CREATE TEXT SEARCH PARSER s.p ({PARSER}, headline = prsd_headline)",
        ),
        ("text search parser", f"CREATE TEXT SEARCH PARSER s.p ({PARSER})", ""),
        (
            "text search template",
            "",
            "CREATE TEXT SEARCH TEMPLATE s.t (init = dsimple_init, lexize = dsimple_lexize)",
        ),
        (
            "text search template",
            "CREATE TEXT SEARCH TEMPLATE s.t (lexize = dsimple_lexize)",
            "CREATE TEXT SEARCH TEMPLATE s.t (init = dsimple_init, lexize = dsimple_lexize)",
        ),
        ("text search template", "CREATE TEXT SEARCH TEMPLATE s.t (lexize = dsimple_lexize)", ""),
        (
            "text search dictionary",
            "",
            f"{DICTIONARY} (template = simple, stopwords = english, accept = false)",
        ),
        (
            "text search dictionary",
            f"{DICTIONARY} (template = simple)",
            f"{DICTIONARY} (template = snowball, language = german)",
        ),
        ("text search dictionary", f"{DICTIONARY} (template = simple)", ""),
        ("text search configuration", "", CONFIGURATION),
        (
            "text search configuration",
            "",
            f"{CONFIGURATION} {MAPPING} FOR asciiword, word WITH german_stem, simple; {MAPPING} FOR url WITH simple",
        ),
        ("text search configuration", CONFIGURATION, ""),
    ],
)
def test_create_rebuild_and_drop(convert: Convert, kind: str, old: str, new: str) -> None:
    convert(kind, old, new, setup="CREATE SCHEMA s")


@pytest.mark.parametrize(
    ("old", "new", "statement"),
    [
        (
            "(template = simple, stopwords = english, accept = false)",
            "(template = simple, stopwords = german)",
            "(accept, stopwords = 'german')",
        ),
        ("(template = simple, stopwords = english)", "(template = simple)", "(stopwords)"),
        ("(template = simple)", "(template = simple, accept = false)", "(accept = 'false')"),
    ],
)
def test_options_of_a_dictionary(convert: Convert, old: str, new: str, statement: str) -> None:
    statements = convert(
        "text search dictionary", f"{DICTIONARY} {old}", f"{DICTIONARY} {new}", setup="CREATE SCHEMA s"
    )
    assert statements == [f"ALTER TEXT SEARCH DICTIONARY s.d {statement}"]


def test_mappings_of_a_configuration(convert: Convert) -> None:
    assert convert(
        "text search configuration",
        f"{CONFIGURATION} {MAPPING} FOR asciiword, word WITH german_stem; {MAPPING} FOR url, host WITH simple",
        f"{CONFIGURATION} {MAPPING} FOR asciiword, word WITH german_stem, simple; {MAPPING} FOR email, url WITH simple",
        setup="CREATE SCHEMA s",
    ) == [
        f"{HEAD} DROP MAPPING FOR host",
        f"{HEAD} ALTER MAPPING FOR asciiword, word WITH german_stem, simple",
        f"{HEAD} ADD MAPPING FOR email WITH simple",
    ]
