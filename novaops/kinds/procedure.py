"""Procedures (`pg_proc.prokind` p)."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_qualified
from novaops.kinds.routine import Routine


class Procedure(Routine):
    name = "procedure"
    types = ("procedure",)
    rank = 31

    def target(self, obj: Object) -> str:
        # Without modes a list may also be read with the types of OUT parameters in it (CALL), and be ambiguous.
        return f"PROCEDURE {quote_qualified(*obj.address.names)}({obj['_identity_arguments']})"
