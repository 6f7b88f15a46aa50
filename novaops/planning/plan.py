"""The plan as an artifact: what would change, by which statements, at what risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from novaops.diagnostics import Source

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Hazard:
    """Harm that a plan would do, and for which consent is given by name.

    `affected` of `total` rows, values … (None when not counted), which `query` shows. `consent` is
    what goes after `--allow`: the hazard's name and the object's identity. A `pending` one is about
    rows that a pre-migration may repair: it is counted again when that has run, and blocks only then.
    """

    hazard: str
    code: str
    object: str
    message: str
    affected: int | None = None
    total: int | None = None
    allowed: bool = False
    query: str | None = None
    pending: bool = False
    reason: str | None = None
    """Why it was allowed, in the words of who did."""
    also: tuple[str, ...] = ()
    """Other subjects by which consent covers it: the file of a statement, the object that it drops."""
    by_name: bool = False
    """Whether `--allow all` does not cover it: somebody has asked for what would avoid it, and it cannot be had."""

    @property
    def consent(self) -> str:
        return f"{self.hazard}:{self.object}"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One object's change. `operation` is create, alter, drop, replace or rename.

    `object` is its identity; `container` the identity of the object it is shown under (the table
    of a column), None when it stands for itself; `detail` one line for each changed attribute.
    `origin` tells where it was changed since the last apply: "file", "live" or "both"; None where
    there is no journal to compare with.
    """

    operation: str
    kind: str
    object: str
    schema: str | None = None
    name: str = ""
    container: str | None = None
    container_kind: str | None = None
    detail: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    source: Source | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A hazard that the data did not have when the plan was made, to be looked for again under lock.

    `exists` is the query whose first column tells; `lock` the relation to lock before it. One that is `refused` is of
    rows that PostgreSQL itself refuses: it is looked for before the first statement of the plan, and not again.
    `query` shows the rows.
    """

    hazard: str
    object: str
    exists: str
    lock: str | None = None
    refused: bool = False
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """An object that a plan drops in order to create it again, while it is dropped.

    `exposes` says what its absence does. `exists`: the object itself is there, but without what was taken from it
    (a detached partition). `part_of` is the `name` of what contains it, if that is dropped too. `states` are digests
    of the object before and after the plan, by which another one of the same name is told from it.
    """

    kind: str
    object: str
    exposes: str = ""
    exists: bool = False
    part_of: str | None = None
    states: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Missing:
        """From a plan file or the journal."""
        return cls(**{**value, "states": tuple(value["states"])})

    @property
    def name(self) -> str:
        return f"{self.kind} {self.object}"

    @property
    def line(self) -> str:
        """Name and effect, for people."""
        return f"{self.name}: {self.exposes}" if self.exposes else self.name


@dataclass(frozen=True, slots=True)
class Owned:
    """An existing object that the plan changes, and the roles whose members may do that."""

    object: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without semicolon; `transaction` counts from 1, None runs outside of one.

    A rehearsal tells `locks` ("public.users AccessExclusiveLock", the strongest of each table that was there
    before), the tables it `rewrites` and those it reads as a whole (`scans`).
    `index` is what it builds concurrently, an invalid one if it fails. `table` is the live table
    that it changes, `patient` tells that it locks nobody out and may wait for its own locks. Secrets
    in `sql` are masked; `secret_sql` is what runs instead, and is never shown or saved.
    `drops` are objects that the statement drops and a later one creates again, `restores` the names (`Missing.name`)
    of those that exist again when it has run.
    """

    sql: str
    transaction: int | None
    kind: str
    object: str
    operation: str
    locks: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = ()
    scans: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    guards: tuple[Guard, ...] = ()
    masked: bool = False
    index: str | None = None
    table: str | None = None
    patient: bool = False
    drops: tuple[Missing, ...] = ()
    restores: tuple[str, ...] = ()
    secret_sql: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ScriptStatement:
    """A statement of a file and its line; one that may hold a password is not shown."""

    sql: str
    line: int


@dataclass(frozen=True, slots=True)
class PreMigration:
    """A file that runs before the plan's statements (`phase` "pre") or after them ("post").

    `state` is "pending", "interrupted" (begun, and not finished) or "not needed" (there is nothing
    yet that it could repair: it is recorded, and not run). `own_transaction`: it has its own BEGIN and COMMIT.
    """

    name: str
    file: str
    phase: str
    checksum: str
    state: str
    transactional: bool = True
    statements: tuple[ScriptStatement, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    own_transaction: bool = False

    @property
    def runs(self) -> bool:
        return self.state != "not needed"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a plan belongs; never holds a password."""

    database: str
    host: str
    port: int
    user: str
    server_version: str
    system_identifier: str

    @property
    def place(self) -> tuple[str, str]:
        """What must be equal for a plan to fit; host names may differ from one caller to another."""
        return self.system_identifier, self.database


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run that converged: its number in the journal, and its day (YYYY-MM-DD)."""

    history: int
    day: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, bound to the fingerprint of the database that it was made from.

    `skipped` are objects left out by `.pgschemaignore`, `unmanaged` those that no kind models,
    `blocked` the hazards not yet consented to, `left_out` the changes that a plan of what needs no
    consent does not make (they need it, or depend on what does). `objects` counts the desired objects compared.
    Where `pre_migrations` run before, the statements start from what these leave, which has the
    `predicted_fingerprint`; without it, what they leave could not be told.
    `last_applied` is the run that `PlannedChange.origin` refers to. `continues` is the number of the run that was
    cut off and whose last statements these are, None for a plan made anew. `missing` are objects that interrupted
    runs have dropped and that do not exist again.
    """

    target: Target
    source_fingerprint: str
    desired_fingerprint: str
    changes: tuple[PlannedChange, ...] = ()
    statements: tuple[Statement, ...] = ()
    blocked: tuple[Hazard, ...] = ()
    skipped: tuple[str, ...] = ()
    unmanaged: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    left_out: tuple[PlannedChange, ...] = ()
    consents: Mapping[str, str] = field(default_factory=dict)
    """What was consented to, used or not, with the reasons."""
    files: str = ""
    file_statements: int = 0
    shadow_seconds: float = 0.0
    objects: int = 0
    options: Mapping[str, object] = field(default_factory=dict)
    rehearsal: Mapping[str, object] | None = None
    pre_migrations: tuple[PreMigration, ...] = ()
    predicted_fingerprint: str | None = None
    last_applied: LastRun | None = None
    continues: int | None = None
    missing: tuple[Missing, ...] = ()
    way_back: bool = False
    """Whether it leads back to what there was before another plan."""
    owned: tuple[Owned, ...] = ()
    undeclared: tuple[str, ...] = ()
    """Objects that nobody declared and that the plan leaves where they are."""
    time_zone: str | None = None
    """TimeZone under which its statements run: that of the session it was made in."""

    @property
    def running(self) -> tuple[PreMigration, ...]:
        """The files that an apply runs, in both phases."""
        return tuple(m for m in self.pre_migrations if m.runs)

    @property
    def certain(self) -> bool:
        """Whether it is known what its statements start from."""
        return self.predicted_fingerprint is not None or not any(m.phase == "pre" for m in self.running)

    @property
    def todo(self) -> bool:
        """Whether an apply has something to run."""
        return bool(self.statements or self.running)

    @property
    def pending_hazards(self) -> tuple[Hazard, ...]:
        """What is looked at again when the pre-migrations have run."""
        return tuple(dict.fromkeys(h for change in self.changes for h in change.hazards if h.pending))

    @property
    def locks_seen(self) -> bool:
        """Whether the statements' locks are those that a faithful copy has shown."""
        return bool(self.rehearsal and self.rehearsal["faithful"] and self.rehearsal["committed"])

    @property
    def summary(self) -> dict[str, int]:
        """Objects by operation."""
        counts = dict.fromkeys(("create", "alter", "drop", "replace", "rename"), 0)
        for change in self.changes:
            counts[change.operation] += 1
        return counts
