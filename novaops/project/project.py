"""The library: a database, the files that declare it, and what leads from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from novaops.catalog.address import Address
from novaops.catalog.saved import to_value
from novaops.catalog.snapshot import Snapshot
from novaops.db.advisory_lock import advisory_lock
from novaops.db.connection import connect, identify
from novaops.desired.build import Desired
from novaops.desired.classify import executed
from novaops.desired.files import load
from novaops.desired.renames_file import RenamesFile
from novaops.execution.history import (
    RecordedStatement,
    Run,
    interrupted,
    numbered,
    runs,
    statements,
)
from novaops.execution.interrupted import Lost, lost
from novaops.execution.parked import BroughtBack, ParkedTable, bring_back, drop_expired, parked_tables
from novaops.execution.pre_migrations.files import PRE
from novaops.execution.pre_migrations.standing import check_unedited, to_run
from novaops.execution.pre_migrations.syntax import check_syntax
from novaops.execution.resume import remainder
from novaops.ignore import Ignore
from novaops.kinds import registry
from novaops.planning.consents import with_reasons
from novaops.planning.diff import Comparison
from novaops.planning.dump import copied_part, creation, dump, omitted, split
from novaops.planning.masking import unrevealing
from novaops.planning.own_grants import OwnGrants, own_grants
from novaops.planning.plan import Missing, Plan, Target
from novaops.planning.planner import check_readable, plan
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.request import Request
from novaops.planning.scope import Scope
from novaops.progress import Reporter, Silent
from novaops.project.apply import apply
from novaops.project.options import Options, Outcome
from novaops.project.pre_migrations.ahead import Ahead, ahead, known, with_pre_migrations
from novaops.project.pre_migrations.migrations import Migrations
from novaops.project.recording import recover
from novaops.project.rehearse import rehearse_plan, rehearse_with_way_back
from novaops.project.renames import consents, renames_file
from novaops.project.safe_only import safely
from novaops.project.states import both_states, declared_state, live_state
from novaops.project.throwaway import throwaway
from novaops.project.undeclared import record, with_undeclared


@dataclass
class Project:
    """One database and its declared schema; a context manager that closes its connection.

    `conninfo` is a URL, libpq's key=value text, or a mapping of libpq's keywords.
    """

    conninfo: str | Mapping[str, str]
    file: Path | str = Path("schema/schema.sql")
    options: Options = field(default_factory=Options)
    reporter: Reporter = field(default_factory=Silent)
    request: Request | None = field(default=None, init=False, repr=False)
    """What the last plan was made of."""
    ahead: Ahead | None = field(default=None, init=False, repr=False)
    """What its pre-migrations will make of the live database."""
    missing: tuple[Missing, ...] = field(default=(), init=False, repr=False)
    """What an apply that ended with an exception has dropped and not created again."""

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if one was opened."""
        if "connection" in self.__dict__:
            self.connection.close()
            del self.__dict__["connection"]

    @cached_property
    def connection(self) -> psycopg.Connection[Any]:
        """The direct connection to the target, in autocommit mode."""
        return connect(self.conninfo)

    # -- what there is --------------------------------------------------------------------------

    def inspect(self) -> Snapshot:
        """The live database as a snapshot, read in one transaction that changes nothing."""
        with self.reporter.phase(f"reading {self.connection.info.dbname}"):
            return live_state(self.connection)

    def dump(self, *, secrets: bool = False, live: Snapshot | None = None) -> str:
        """Write the schemas of the live database, or of the snapshot `live`, as a script.

        These are the schemas that the options name, or else all but the system's; `secrets` writes them in clear.
        """
        live = live or self.inspect()
        return dump(live, self.scope(live), self.comparison(PrivilegeMode.MANAGED), secrets)

    def split(self, *, secrets: bool = False, live: Snapshot | None = None) -> dict[str, str]:
        """The same as texts by relative path, one for each object."""
        live = live or self.inspect()
        return split(live, self.scope(live), self.comparison(PrivilegeMode.MANAGED), secrets)

    def omitted(self, live: Snapshot, *, secrets: bool = False) -> list[str]:
        """Name what `dump` and `split` do not write."""
        return omitted(live, self.scope(live), secrets)

    def saved(self, *, secrets: bool = False) -> dict[str, Any]:
        """The whole live database as a snapshot for JSON, which `diff` reads again; `secrets` are in it only if wanted."""
        found = self.inspect()
        return to_value(found if secrets else unrevealing(found), asdict(self.target()))

    def desired(self, live: Snapshot) -> Desired:
        """What the files declare, built in a shadow and read back."""
        return declared_state(self, live)

    def _ahead(self) -> tuple[Ahead, Desired]:
        """What the plan starts from, and the declared state."""
        files = known(self)
        check_unedited(files)
        if not to_run(files, PRE):
            live, desired = both_states(self)
            return ahead(self, live, files), desired
        # A copy takes seconds: what can be wrong without one is found first.
        _ = self.renames
        check_syntax(self.connection, executed(load(Path(self.file)).statements))
        # What the files may refer to without declaring it is there only when these have run.
        found = ahead(self, self.inspect(), files)
        return found, self.desired(found.prediction.snapshot)

    def elsewhere(self, live: Snapshot, declared: Set[Address]) -> list[str]:
        """Statements that make what the files may refer to without declaring it."""
        unmanaged = copied_part(live, self.scope(live.part(declared)), declared)
        exactly = replace(self.comparison(), privileges=PrivilegeMode.MANAGED)
        return [w.step.sql for w in creation(unmanaged, Scope(frozenset()), exactly).written]

    # -- what would change ----------------------------------------------------------------------

    def plan(
        self,
        allow: Collection[str] | Mapping[str, str] = (),
        park: timedelta | None = None,
        *,
        safe_only: bool = False,
    ) -> Plan:
        """The plan from the live database to the files; `allow` holds consents (HAZARD[:OBJECT]),
        as a mapping with the reasons.

        With `park`, tables that would be dropped are put aside for so long; see `novaops.planning.parking`.
        With `safe_only` it has no hazard that the consents do not cover, and names what was left out for that.
        """
        found, desired = self._ahead()
        agreed = consents(self.renames, found.prediction.snapshot, desired)
        allowed = {**with_reasons(agreed), **with_reasons(allow)}
        known = record(self, found, agreed)
        request = Request(
            live=found.prediction.snapshot,
            written=found.prediction.written,
            desired=desired.snapshot,
            renamed=desired.renamed,
            scope=self.scope(desired.created).with_earlier(desired.renamed),
            comparison=replace(self.comparison(), restored=desired.dumped, own=self._own_grants()),
            target=self.target(),
            sources=desired.sources,
            allowed=allowed,
            missing_roles=desired.missing_roles,
            passing_roles=desired.passing_roles,
            empty=desired.empty,
            files=str(self.file),
            safe_below=self.options.safe_below,
            last=known.last if found.settled else None,
            park=park,
            watch=self.options.watch,
        )
        with self.reporter.phase("planning"):
            request = with_undeclared(request, known, self.options.undeclared)
            if safe_only:
                request, made = safely(self, request, found.live)
            else:
                made = plan(request, self.connection)
        check_readable(request, made)
        self.request, self.ahead = request, found
        made = replace(
            made,
            files=str(self.file),
            file_statements=desired.statements,
            shadow_seconds=desired.seconds,
            notices=(
                *made.notices,
                *(str(n) for n in desired.notices),
                *self.renames.notes(desired.snapshot),
            ),
            options={
                "schemas": sorted(request.scope.schemas),
                "scope": self.options.scope,
                "privileges": self.options.privileges,
                "owners": self.options.owners,
            },
        )
        # What starts from what pending files leave is planned anew.
        if self.options.journal:
            made = remainder(self.connection, made, found.live, request.goal, settled=found.settled)
        return with_pre_migrations(self, made, found, allowed)

    def target(self) -> Target:
        """Which database of which server this is about."""
        found = identify(self.connection)
        return Target(
            found.database,
            found.host,
            found.port,
            found.user,
            found.version,
            str(found.system_identifier or ""),
        )

    @property
    def migrations(self) -> Migrations:
        """The pre-migrations by themselves: listed, run, adopted, accepted."""
        return Migrations(self)

    def rehearse(self, made: Plan) -> Plan:
        """Run the plan on a throwaway copy of the live schema.

        Returned with the locks, rewrites and scans that were seen, and the `Rehearsal` as JSON. The plan
        of a file, of which only the fingerprint of its result is known, is compared by that.
        """
        return rehearse_plan(self, made)

    def rollback(self, made: Plan) -> tuple[Plan, Plan]:
        """The last plan and the way back from it, both rehearsed: the second on the copy that the first has changed.

        The way back is bound to the database as the plan will leave it, and names in its notices what does
        not come back. Raises `NovaopsError` when it does not lead back to what there was.
        """
        return rehearse_with_way_back(self, made)

    # -- changing it ----------------------------------------------------------------------------

    def apply(
        self,
        made: Plan | None = None,
        allow: Collection[str] | Mapping[str, str] = (),
        *,
        rehearse: bool = True,
        lock_timeout: timedelta = timedelta(seconds=3),
        lock_wait: timedelta = timedelta(0),
        unproven: Callable[[str], bool] = lambda _: False,
    ) -> Outcome:
        """Apply a plan, by default the one made now.

        `unproven` is asked whether to go on where there can be no rehearsal, and told why.

        Raises `RefusedError` when a hazard is not allowed, `TargetChangedError` when the database is
        no longer what the plan was made from, `NovaopsError` when the rehearsal shows that the
        plan does not lead to what the files declare, and `UsageError` when there can be none and
        `unproven` says no; nothing is changed then.
        """
        self.recover(lock_wait)
        return apply(
            self,
            made or self.plan(),
            allow,
            rehearse=rehearse,
            lock_timeout=lock_timeout,
            lock_wait=lock_wait,
            unproven=unproven,
        )

    def recover(self, lock_wait: timedelta = timedelta(0)) -> None:
        """Say what an apply that was cut off has done, and clear away what it left half done.

        `apply()` does so first of all; who makes the plan for it before calls this before that.
        """
        recover(self, lock_wait)

    def history(self) -> list[Run]:
        """The runs in the journal, the latest first; none where there is no journal."""
        return runs(self.connection)

    def lost(self) -> list[Lost]:
        """Return what interrupted runs have dropped and nobody has created again, with the run of each."""
        return lost(self.connection, self.inspect()) if interrupted(self.connection) else []

    def recorded(self, run: int) -> tuple[Run, list[RecordedStatement]]:
        """One run with its statements; raises `NovaopsError` when there is no such run."""
        found = numbered(self.connection, run)
        return found, statements(self.connection, found)

    # -- parked tables --------------------------------------------------------------------------

    def parked(self) -> list[ParkedTable]:
        """The tables that were put aside (`plan(park=…)`), the oldest first."""
        return parked_tables(self.connection)

    def unpark(self, name: str) -> BroughtBack:
        """Bring a parked table back, under the name that it had; see `bring_back`."""
        with advisory_lock(self.connection):
            return bring_back(self.connection, name)

    def drop_expired(self) -> list[ParkedTable]:
        """Drop the parked tables that are past their time."""
        with advisory_lock(self.connection):
            return drop_expired(self.connection)

    # -- how ------------------------------------------------------------------------------------

    def scope(self, desired: Snapshot | None = None) -> Scope:
        """What the options manage; without `desired`, less the schemas that the files make."""
        return Scope.of(
            frozenset(self.options.schemas),
            self.options.scope == "database",
            self._ignore,
            desired or Snapshot({}),
        )

    def comparison(self, mode: PrivilegeMode | None = None) -> Comparison:
        """What counts as a difference; `mode` stands in for the privilege mode `auto`."""
        chosen = PrivilegeMode(self.options.privileges)
        if mode is not None and chosen is PrivilegeMode.AUTO:
            chosen = mode
        ignore = self._ignore
        return Comparison(
            chosen, self.options.owners == "managed", ignore.matches_grantee, ignore.matches_default_grantee
        )

    def _own_grants(self) -> OwnGrants:
        overlay = self.options.overlay
        return own_grants(self.connection, overlay.given if overlay else ())

    @cached_property
    def renames(self) -> RenamesFile:
        """The renames that a file lists."""
        return renames_file(Path(self.file), self.options.renames)

    @cached_property
    def _ignore(self) -> Ignore:
        read = Ignore.read(self.options.ignore_file, registry())
        overlay = self.options.overlay
        return replace(read, own=overlay.own) if overlay else read

    @property
    def disposable(self) -> bool:
        """Whether the shadow is a database made for it; nothing is committed in one that somebody else made."""
        return self.options.shadow in ("server", "embedded")

    def shadow(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """An empty database; one that somebody else made is left as it was."""
        return throwaway(self.connection, self.options.shadow)
