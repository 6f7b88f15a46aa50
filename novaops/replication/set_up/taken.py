"""The steps that a run has taken, each with what it takes to go back: what the journal holds of a set-up.

One class for each kind of thing that is made or changed. `name` tells it from others of its kind; the other fields are
what was there before. In the journal (`Made`) they are texts, under the class's `kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, TypeVar, cast

from psycopg.sql import SQL, Identifier

from novaops.errors import NovaopsError
from novaops.replication.declaration import Replication, TriggerMode
from novaops.replication.facts import subscriptions
from novaops.replication.pair import Pair
from novaops.replication.set_up import held, read_only, role, subscription
from novaops.replication.set_up.copied_rows import remove
from novaops.replication.set_up.journal import Made
from novaops.replication.set_up.slot import drop_slot
from novaops.replication.trigger_modes import Change, standings


@dataclass(frozen=True, slots=True)
class PublicationMade:
    """A publication of the source."""

    kind: ClassVar[str] = "publication"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        drop = SQL("DROP PUBLICATION IF EXISTS {}").format(Identifier(self.name))
        pair.source.connection.execute(drop)


@dataclass(frozen=True, slots=True)
class PublicationAltered:
    """A publication that was there; `former` are the statements that give it its tables again."""

    kind: ClassVar[str] = "publication tables"
    name: str
    former: tuple[str, ...]

    def undo(self, pair: Pair, replication: Replication) -> None:
        for statement in self.former:
            pair.source.connection.execute(statement.encode())


@dataclass(frozen=True, slots=True)
class RoleMade:
    """The role of the subscription's login, on the source."""

    kind: ClassVar[str] = "role"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        role.drop(pair.source.connection, replication, self.name)


@dataclass(frozen=True, slots=True)
class SlotMade:
    """The slot on the source's server."""

    kind: ClassVar[str] = "slot"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        drop_slot(pair.source.connection, self.name)


@dataclass(frozen=True, slots=True)
class SubscriptionMade:
    """The subscription of the target."""

    kind: ClassVar[str] = "subscription"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        if self.name in subscriptions(pair.target.connection):
            subscription.drop(pair.target.connection, self.name)


@dataclass(frozen=True, slots=True)
class Enabled:
    """A subscription that was there, and disabled."""

    kind: ClassVar[str] = "enabled"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        subscription.alter(pair.target.connection, self.name, "DISABLE")


@dataclass(frozen=True, slots=True)
class StopsAtErrors:
    """A subscription that was there, without `disable_on_error`."""

    kind: ClassVar[str] = "disable_on_error"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        subscription.alter(pair.target.connection, self.name, "SET (disable_on_error = false)")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A subscription that was told of the publication's tables; these have their former ones again by then."""

    kind: ClassVar[str] = "refresh"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        subscription.alter(pair.target.connection, self.name, "REFRESH PUBLICATION WITH (copy_data = false)")


@dataclass(frozen=True, slots=True)
class ModeSet:
    """The mode of a trigger; `name` is `held.key()` of it."""

    kind: ClassVar[str] = "trigger mode"
    name: str
    former: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        target, mode = pair.target.connection, cast(TriggerMode, self.former)
        back = [
            Change(s.trigger, mode)
            for s in standings(target, replication.tables)
            if held.key(s.trigger) == self.name and s.trigger.mode != mode
        ]
        held.set_modes(target, back, resync=False)


@dataclass(frozen=True, slots=True)
class RowsCopied:
    """A table that was empty; `name` is the table, as it is written in SQL."""

    kind: ClassVar[str] = "copied rows"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        remove(pair, next(t for t in replication.tables if t.qualified == self.name))


@dataclass(frozen=True, slots=True)
class Reconciling:
    """A table that had rows, and is to be brought into line; only says what is still to be done."""

    kind: ClassVar[str] = "reconciling"
    name: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ObjectMade:
    """A table, column or what they need, made on the target."""

    kind: ClassVar[str] = "object"
    name: str
    drop: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        pair.target.connection.execute(self.drop.encode())


@dataclass(frozen=True, slots=True)
class CountsApart:
    """A sequence of one side ("source" or "target"), and the statement that lets it count as before."""

    kind: ClassVar[str] = "sequence"
    name: str
    side: str
    former: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        side = pair.source if self.side == "source" else pair.target
        side.connection.execute(self.former.encode())


@dataclass(frozen=True, slots=True)
class Guarded:
    """A table or partition that refuses writes."""

    kind: ClassVar[str] = "guard"
    name: str
    schema: str
    table: str

    def undo(self, pair: Pair, replication: Replication) -> None:
        read_only.drop(pair.target.connection, (self.schema, self.table))


Taken = (
    PublicationMade
    | PublicationAltered
    | RoleMade
    | SlotMade
    | SubscriptionMade
    | Enabled
    | StopsAtErrors
    | Refreshed
    | ModeSet
    | RowsCopied
    | Reconciling
    | ObjectMade
    | CountsApart
    | Guarded
)
KINDS: Mapping[str, type[Taken]] = {each.kind: each for each in Taken.__args__}
T = TypeVar("T", bound=Taken)


def entry(taken: Taken) -> Made:
    """The step as the journal keeps it."""
    name, *before = (getattr(taken, each.name) for each in fields(taken))
    texts = [text for value in before for text in (value if isinstance(value, tuple) else (value,))]
    return Made(taken.kind, name, tuple(texts))


def read(made: Made) -> Taken:
    """The step that an entry of the journal is about; raises `NovaopsError` for one that another version has written."""
    cls = KINDS.get(made.kind)
    if cls is PublicationAltered:
        return PublicationAltered(made.name, made.before)
    if cls is None or len(fields(cls)) != 1 + len(made.before):
        raise NovaopsError(
            f"the journal tells of a step that this version of novaops does not know: {made.kind} {made.name}",
            hint="finish or undo the run with the version that has begun it (novaops.replication_run in the target)",
        )
    make: Callable[..., Taken] = cls
    return make(made.name, *made.before)


def of_kind(made: Iterable[Made], kind: type[T]) -> list[T]:
    """The steps of one kind, in their order."""
    return [taken for each in made if isinstance(taken := read(each), kind)]
