"""What a rehearsal has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

SHOWN = 8
"""How many differences a text lists."""
NOT_ASKED = "was not asked"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the copy showed.

    `faithful` tells whether the copy equalled the live schema, without which nothing is proven;
    `left` are the differences that remained after the plan, none when it converges; `error` is the
    statement that failed and PostgreSQL's message. `compared` is False for a plan from a file whose
    result is neither what its files had declared nor what an earlier rehearsal of it has led to.

    `pg_dump` is what pg_dump said ("agrees", "disagrees", or why it was not asked), `fingerprint` that of
    the database when the plan has been applied, `not_run` the statements that reach other servers, `left_out`
    what the copy lacks because the role may not make it, and the plan leaves alone. `committed` tells whether each
    statement was seen by itself, and so what it locks.
    """

    faithful: bool
    left: tuple[str, ...] = ()
    error: str | None = None
    compared: bool = True
    pg_dump: str = NOT_ASKED
    fingerprint: str | None = None
    not_run: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    committed: bool = True

    @property
    def ran(self) -> bool:
        """Whether all statements ran on a copy that equalled the live schema."""
        return self.faithful and self.error is None

    @property
    def converges(self) -> bool:
        return self.ran and self.compared and not self.left

    @property
    def failed(self) -> bool:
        """Whether it has shown that the plan does not lead where it should."""
        return self.faithful and (self.error is not None or bool(self.left))

    def as_json(self) -> Mapping[str, object]:
        return {**asdict(self), "converges": self.converges}

    @classmethod
    def of(cls, value: Mapping[str, Any] | None) -> Rehearsal:
        """From a plan's `rehearsal`; where there was none, one that shows nothing."""
        names = {field.name for field in fields(cls)}
        given = {name: told for name, told in (value or {}).items() if name in names}
        listed = {name: tuple(given.get(name, ())) for name in ("left", "not_run", "left_out")}
        return cls(**{"faithful": False, **given, **listed})

    def __str__(self) -> str:
        """In a few words, for people."""
        if not self.faithful:
            return f"not rehearsed: {self.error or f'the copy differs from the live schema ({self.listed})'}"
        if self.error is not None:
            return f"the rehearsal failed: {self.error}"
        if self.left:
            who = "pg_dump disagrees" if self.pg_dump == "disagrees" else "still different"
            return f"the rehearsal does not converge; {who}: {self.listed}"
        where = "converges" if self.compared else "every statement ran, the result was not compared"
        not_run = f"; {len(self.not_run)} not run, as they reach other servers" if self.not_run else ""
        lacks = f"; the copy lacks {', '.join(self.left_out)}" if self.left_out else ""
        return f"rehearsed on a copy: {where}; pg_dump {self.pg_dump}{not_run}{lacks}"

    @property
    def listed(self) -> str:
        """The first of the differences."""
        more = f" and {len(self.left) - SHOWN:,} more" if len(self.left) > SHOWN else ""
        return ", ".join(self.left[:SHOWN]) + more
