from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = """
CREATE TABLE t (a int, "B b" text);
CREATE TABLE child (c int) INHERITS (t);
CREATE TABLE part (a int) PARTITION BY LIST (a);
CREATE PUBLICATION "P p";
"""


def add(table: str) -> str:
    return f'ALTER PUBLICATION "P p" ADD TABLE {table}'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", add("ONLY t")),
        (add("ONLY t"), ""),
        (add("t"), add("ONLY t")),
        ("", add("part")),
        ("", add('ONLY t ("B b") WHERE ("B b" <> \'x\')')),
        (add("ONLY t"), add("ONLY t (a)")),
        (add("ONLY t (a)"), add('ONLY t (a, "B b")')),
        (add("ONLY t WHERE (a > 0)"), add("ONLY t WHERE (a > 1)")),
        (add("ONLY t WHERE (a > 0)"), add("ONLY t")),
    ],
)
def test_add_drop_and_change(convert: Convert, old: str, new: str) -> None:
    convert("publication relation", old, new, setup=SETUP)
