"""Where another sequence comes to number a column: it continues where the old one stands; not a kind itself.

The position of a sequence, `last_value` and `is_called`, is what keeps a number from being given twice, also those of rows
that are deleted. It is read and set in the transaction that holds the lock of the table, in which nobody takes numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident, quote_literal, quote_qualified, suffixed
from novaops.db.sequence_options import turned
from novaops.kinds.kind import ASIDE, Risk, Scene, Step
from novaops.kinds.obstacles import refusal
from novaops.kinds.sequence_position import HIGHEST, Course, course


@dataclass(frozen=True, slots=True)
class Takeover:
    """A column with the object that holds its sequence before and after: the column itself for an identity."""

    column: Object
    before: Object
    after: Object
    moved: bool
    """Whether the rows of its table are copied into a new one."""

    @property
    def old(self) -> Course:
        return _course(self.before)

    @property
    def new(self) -> Course:
        return _course(self.after)

    @property
    def from_identity(self) -> bool:
        return "identity_options" in self.before.attributes

    @property
    def keeps_position(self) -> bool:
        return not turned(self.old.options, self.new.options)

    @property
    def aside(self) -> str | None:
        """Quoted name that the old sequence has while the new one is there, where it is renamed."""
        names = _names(self.before)
        if names != _names(self.after) and not self.from_identity:
            return None
        return quote_qualified(names[0], suffixed(names[1], ASIDE))

    def set_aside(self) -> list[Step]:
        """Rename the old sequence out of the way of the new one; nobody takes a number from it from then on."""
        if self.moved or self.aside is None:
            return []
        name = quote_ident(suffixed(_names(self.before)[1], ASIDE))
        return [Step(f"ALTER SEQUENCE {self.old.sequence} RENAME TO {name}")]

    def remembered(self) -> list[Step]:
        """Keep the position of an identity in another sequence: its own goes with it, before NOT NULL and type change."""
        setval = f"pg_catalog.setval({quote_literal(self.aside or '')}, last_value, is_called)"
        return [
            Step(f"CREATE SEQUENCE {self.aside} MINVALUE {-HIGHEST['bigint'] - 1}"),
            Step(f"SELECT {setval} FROM {self.old.sequence}"),
        ]

    def forgotten(self) -> list[Step]:
        """Drop what `remembered` has made."""
        return [Step(f"DROP SEQUENCE {self.aside}")]

    def continued(self) -> list[Step]:
        """Set the new sequence to the position of the old one, where its limits allow that."""
        if not self.keeps_position:
            return []
        old, new = self.old, self.new
        conditions = []
        if old.start != new.start:
            # One that nobody has used yet has no position.
            conditions.append(f"(is_called OR last_value <> {old.start})")
        if old.lowest < new.lowest:
            conditions.append(f"last_value >= {new.lowest}")
        if old.highest > new.highest:
            conditions.append(f"last_value <= {new.highest}")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        setval = f"pg_catalog.setval({quote_literal(new.sequence)}, last_value, is_called)"
        return [Step(f"SELECT {setval} FROM {self.aside or old.sequence}{where}")]

    def risks(self) -> list[Risk]:
        """Report numbers that the new sequence would give a second time."""
        old, new = self.old, self.new
        used = f"FROM {old.sequence} WHERE is_called"
        if self.keeps_position:
            if new.rising and old.highest > new.highest:
                used += f" AND last_value > {new.highest}"
            elif not new.rising and old.lowest < new.lowest:
                used += f" AND last_value < {new.lowest}"
            else:
                return []
        risk = refusal("behaviour", self.column.identity, f"would be {new.start} again", used)
        return [replace(risk, loses="the position of its sequence", count=None)]


def numbered_from(column: Object, snapshot: Snapshot) -> Object | None:
    """The column itself where it has an identity, or the sequence that its default takes numbers from."""
    if column["identity_options"] is not None:
        return column
    for child in snapshot.children.get(column.address, ()):
        for edge in snapshot.dependencies.get(child.address, ()):
            if child.kind == "default value" and edge.referenced.type == "sequence":
                return snapshot.objects.get(edge.referenced)
    return None


def takeover(column: Object, scene: Scene) -> Takeover | None:
    """The change of the sequence behind a column of the desired state.

    None where the sequence stays, where there was none, and where the position is lost: one sequence cannot continue
    two, nor can one be renamed for two.
    """
    found = _takeover(column, scene)
    if found is None:
        return None
    besides = [] if found.from_identity else _of(_numbered_by(found.before.address, scene.live), scene)
    if any(other.aside != found.aside for other in besides) or (found.aside and len(besides) > 1):
        return None
    if found.after is not column:
        sharing = _of(_numbered_by(found.after.address, scene.desired), scene)
        if any(other.before.address != found.before.address for other in sharing):
            return None
    return found


def takeovers_from(old: Object, scene: Scene) -> list[Takeover]:
    """Those of the columns that take numbers from a live sequence."""
    return _checked(_numbered_by(old.address, scene.live), scene)


def takeovers_by(new: Object, scene: Scene) -> list[Takeover]:
    """Those of the columns that a sequence, which the plan creates, comes to number."""
    return _checked(_numbered_by(new.address, scene.desired), scene)


def left_behind(before: Object, after: Object, scene: Scene) -> list[Risk]:
    """Report the position that an identity loses, where its column has none any more."""
    old = course(before)
    if old is None or (course(after) is not None and after.parent not in scene.moved):
        return []
    taken = takeover(after, scene)
    if taken is not None:
        return taken.risks()
    used = f"SELECT EXISTS (SELECT FROM {old.sequence} WHERE is_called)"
    return [Risk("data-loss", old.sequence, "the position of the identity", used)]


def _checked(columns: Iterable[Address], scene: Scene) -> list[Takeover]:
    desired = (scene.desired.objects.get(address) for address in columns)
    return [found for column in desired if column is not None and (found := takeover(column, scene))]


def _of(columns: Iterable[Address], scene: Scene) -> list[Takeover]:
    desired = (scene.desired.objects.get(address) for address in columns)
    return [found for column in desired if column is not None and (found := _takeover(column, scene))]


def _takeover(column: Object, scene: Scene) -> Takeover | None:
    live = scene.live.objects.get(column.address)
    moved = column.parent in scene.moved
    if live is None or live.kind != column.kind or (scene.creates(column.address) and not moved):
        return None
    before, after = numbered_from(live, scene.live), numbered_from(column, scene.desired)
    if before is None or after is None:
        return None
    if after is not column and not scene.creates(after.address):
        return None  # it has a position of its own
    if before is live and after is column and not moved:
        return None
    return Takeover(column, before, after, moved)


def _numbered_by(sequence: Address, snapshot: Snapshot) -> Iterator[Address]:
    for edge in snapshot.dependents.get(sequence, ()):
        parent = snapshot[edge.dependent].parent
        if edge.dependent.type == "default value" and parent is not None:
            yield parent


def _names(holder: Object) -> tuple[str, str]:
    """Schema and name of the sequence."""
    names = holder.address.names
    return (names[0], holder.attributes.get("identity_sequence") or names[1])


def _course(holder: Object) -> Course:
    found = course(holder)
    assert found is not None  # noqa: S101
    return found
