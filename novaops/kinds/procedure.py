"""Procedures (`pg_proc.prokind` p)."""

from __future__ import annotations

from novaops.kinds.routine import Routine


class Procedure(Routine):
    name = "procedure"
    types = ("procedure",)
    rank = 31
