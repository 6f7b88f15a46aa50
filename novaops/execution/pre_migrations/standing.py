"""Where each pre-migration stands: the files of the folder against the ledger of the target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from novaops.errors import NovaopsError
from novaops.execution.pre_migrations.files import Migration, sets
from novaops.execution.pre_migrations.ledger import NOT_NEEDED, STARTED, Entry
from novaops.invocation import command_line


class State(Enum):
    """What is to be done about a file, or has been."""

    PENDING = "pending"
    INTERRUPTED = "interrupted"
    """Begun outside of a transaction and not finished: what is left of it is still to run."""
    APPLIED = "applied"
    NOT_NEEDED = "not needed"
    ADOPTED = "adopted"
    EDITED = "edited"
    MISSING = "missing"


TO_RUN = (State.PENDING, State.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Standing:
    """A file (None: it is gone from the folder), its row in the ledger (None: it has none), its state."""

    name: str
    phase: str
    state: State
    migration: Migration | None
    entry: Entry | None

    @property
    def unfinished(self) -> Migration | None:
        """The file with the statements that are still to run, and with the settings that come before them."""
        done = self.entry.statements_done if self.entry and self.state is State.INTERRUPTED else 0
        if self.migration is None or not done:
            return self.migration
        before, after = self.migration.statements[:done], self.migration.statements[done:]
        return replace(self.migration, statements=(*filter(sets, before), *after))


def standings(migrations: Sequence[Migration], entries: Mapping[str, Entry]) -> tuple[Standing, ...]:
    """All files and all rows, in the order of their names."""
    files = {m.name: m for m in migrations}
    names = sorted(files.keys() | entries.keys(), key=str.encode)
    return tuple(
        Standing(
            name=name,
            phase=(files.get(name) or entries[name]).phase,
            state=_state(files.get(name), entries.get(name)),
            migration=files.get(name),
            entry=entries.get(name),
        )
        for name in names
    )


def to_run(known: Iterable[Standing], phase: str, *, new: bool = False) -> list[Standing]:
    """Return those of a phase that are still to run, in a database that is `new` or not."""
    return [s for s in known if s.state in TO_RUN and s.phase == phase and not (new and is_not_needed(s))]


def is_not_needed(standing: Standing) -> bool:
    """Tell whether a new database does not need the file: its schema files build what it repairs."""
    return standing.migration is not None and not standing.migration.for_new


def check_unedited(known: Sequence[Standing]) -> None:
    """Raise `NovaopsError` when a file that has run is not what it was then."""
    edited = [(s.migration, s.entry) for s in known if s.state is State.EDITED and s.migration and s.entry]
    if not edited:
        return
    lines = [
        f"{migration.path}\n  sha256 when it ran  {entry.checksum}\n  sha256 now          {migration.checksum}"
        for migration, entry in edited
    ]
    names = [migration.name for migration, _ in edited]
    raise NovaopsError(
        f"edited since it ran: {', '.join(names)}",
        detail="\n".join(lines),
        hint="take the edit back, or put it into a new file; if the database is as the edited file wants it:"
        f" {command_line('migrations accept', arguments=names[:1])}",
    )


def notices(known: Sequence[Standing]) -> Iterator[str]:
    """What is to be known about files that are gone, begun, or late."""
    ran = [s for s in known if s.entry is not None and s.entry.outcome != NOT_NEEDED]
    for standing in known:
        name, entry = standing.name, standing.entry
        later = [s.name for s in ran if s.phase == standing.phase and s.name.encode() > name.encode()]
        if standing.state is State.MISSING and standing in ran:
            yield f"pre-migration {name} has {_been(standing)} here and is not in the folder any more"
        elif standing.state is State.INTERRUPTED and entry is not None:
            yield (
                f"pre-migration {name} was begun at {entry.started_at:%Y-%m-%d %H:%M} by {entry.applied_by} and did"
                f" not finish: {_counted(standing)} done; the next one may have been, in part or whole"
            )
        elif standing.state is State.PENDING and later:
            yield f"pre-migration {name} is pending although {later[0]}, which comes after it, has run"


def _been(standing: Standing) -> str:
    begun = standing.entry is not None and standing.entry.outcome == STARTED
    return "been begun, has not finished" if begun else "run"


def _counted(standing: Standing) -> str:
    """How far a file outside of transactions has come, in words."""
    done = standing.entry.statements_done if standing.entry else 0
    total = len(standing.migration.statements) if standing.migration else 0
    return f"{done} of {total} statements {'is' if done == 1 else 'are'}"


def _state(migration: Migration | None, entry: Entry | None) -> State:
    if entry is None:
        return State.PENDING
    if migration is None:
        return State.MISSING
    if entry.outcome == NOT_NEEDED:
        return State.NOT_NEEDED
    if entry.checksum != migration.checksum:
        return State.EDITED
    return State.INTERRUPTED if entry.outcome == STARTED else State(entry.outcome)
