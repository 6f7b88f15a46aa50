"""Sizes are written as in PostgreSQL's settings."""

from __future__ import annotations

import pytest

from novaops.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("64 kB", 65536), ("64kB", 65536), ("1.5 mb", 1572864), ("12B", 12), ("2TB", 2 << 40)],
)
def test_a_size(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["64", "", "kB", "-1 kB", "1 kb/s", "1 PB"])
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (65536, "64 kB"), (1288490189, "1.2 GB"), (200 << 30, "200 GB"), (5 << 20, "5 MB")],
)
def test_for_people(size: int, text: str) -> None:
    assert format_size(size) == text
