"""What was found about a replication, in a sentence, with the evidence and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `name` is stable (`slot-lost`); no text holds a secret.

    "error": rows do not arrive, or not as they should. "warning": they will not, unless something is
    done. "note": worth knowing.
    """

    name: str
    severity: Severity
    message: str
    """A plain sentence, with the figures that prove it."""
    detail: str | None = None
    """Why, where that is not plain."""
    remedy: str | None = None
    """The command, of novaops or in SQL, that mends it."""
