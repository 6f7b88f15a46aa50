"""Functions and window functions (`pg_proc.prokind` f and w)."""

from __future__ import annotations

from novaops.kinds.routine import Routine


class Function(Routine):
    name = "function"
    types = ("function",)
    rank = 30
    signature = frozenset({"kind", "result"})
    least_row = 2  # a single output parameter is the result itself
