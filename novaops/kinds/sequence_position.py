"""What becomes of the position of a sequence whose limits or direction change; not a kind itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from novaops.catalog.object import Object
from novaops.db.sequence_options import turned
from novaops.kinds.kind import Risk
from novaops.kinds.obstacles import refusal

HIGHEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


@dataclass(frozen=True, slots=True)
class Course:
    """A sequence by its options: how far it counts, and from where; `sequence` is its quoted name."""

    sequence: str
    options: Mapping[str, Any]
    start: int
    data_type: str

    @property
    def rising(self) -> bool:
        return bool(self.options.get("increment", 1) > 0)

    @property
    def lowest(self) -> int:
        own: int = self.options.get("minvalue", 1 if self.rising else -HIGHEST[self.data_type] - 1)
        return own

    @property
    def highest(self) -> int:
        own: int = self.options.get("maxvalue", HIGHEST[self.data_type] if self.rising else -1)
        return own


def course(obj: Object) -> Course | None:
    """That of a sequence, or of a column's identity."""
    if "identity_options" not in obj.attributes:
        return Course(obj.identity, obj["options"], obj["_start"], obj["data_type"])
    if obj["identity_options"] is None:
        return None
    return Course(
        obj["_identity_identity"], obj["identity_options"], obj["_identity_start"], obj["_base_type"]
    )


def out_of_limits(before: Object, after: Object) -> list[Risk]:
    """Where it stands now, if PostgreSQL refuses that."""
    old, new = course(before), course(after)
    if old is None or new is None or turned(old.options, new.options):
        return []
    out = [] if _moved_up(old, new) else [f"last_value < {new.lowest}"]
    out += [] if _moved_down(old, new) else [f"last_value > {new.highest}"]
    if not out:
        return []
    source = f"FROM {old.sequence} WHERE {' OR '.join(out)}"
    return [_position("check", after, f"would be outside of {new.lowest} to {new.highest}", source)]


def starts_over(before: Object, after: Object) -> list[Risk]:
    """For one that is moved to its start, so that numbers come a second time."""
    old, new = course(before), course(after)
    if old is None or new is None or old.options == new.options:
        return []
    used = f"FROM {old.sequence} WHERE is_called"
    if not turned(old.options, new.options):
        if new.rising and _moved_down(old, new):
            used += f" AND last_value > {new.highest}"
        elif not new.rising and _moved_up(old, new):
            used += f" AND last_value < {new.lowest}"
        else:
            return []
    return [_position("behaviour", after, f"would be {new.start} again", used)]


def _moved_up(old: Course, new: Course) -> bool:
    """Whether `db.sequence_options.moved()` sees to what is below the limit."""
    return "minvalue" in new.options and old.start < new.lowest


def _moved_down(old: Course, new: Course) -> bool:
    """Whether `db.sequence_options.moved()` sees to what is above the limit."""
    return "maxvalue" in new.options and old.start > new.highest


def _position(hazard: str, subject: Object, says: str, source: str) -> Risk:
    return replace(refusal(hazard, subject.identity, says, source), loses="its position", count=None)
