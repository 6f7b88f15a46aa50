"""What ADD, SET, RESET and DROP of options have in common (`pg_options_to_table()`); not a kind itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def changed_options(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]]:
    """Options to SET and to RESET to get from `old` to `new`."""
    before, after = old or {}, new or {}
    return (
        {k: v for k, v in after.items() if before.get(k) != v},
        [k for k in before if k not in after],
    )
