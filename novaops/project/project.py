"""The library: a database, the files that declare it, and what leads from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.db.connection import connect, identify
from novaops.desired.bodies import unchanged_in
from novaops.desired.body_findings import Body
from novaops.desired.build import Desired
from novaops.desired.declare import declare
from novaops.desired.files import Script, load
from novaops.desired.renamed import Renaming
from novaops.desired.renames_file import RenamesFile
from novaops.errors import NovaopsError
from novaops.execution.history import RecordedStatement, Run, last_state, numbered, runs, statements
from novaops.execution.rehearse import Stage, rehearse
from novaops.execution.resume import remainder
from novaops.ignore import Ignore
from novaops.kinds import registry
from novaops.planning.consents import with_reasons
from novaops.planning.diff import Comparison
from novaops.planning.dump import copied_part, creation, dump, split
from novaops.planning.origin import last_applied
from novaops.planning.outages import Sizes, observed
from novaops.planning.plan import Plan, Target
from novaops.planning.planner import Request, plan
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.safe_only import safe_only as planned_safely
from novaops.planning.scope import Scope
from novaops.progress import Reporter, Silent
from novaops.project.apply import apply
from novaops.project.options import Options, Outcome
from novaops.project.recording import recover
from novaops.project.renames import allowed_drops, consents, renames_file, renaming
from novaops.project.throwaway import throwaway


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
            return _read(self.connection)

    def dump(self, *, secrets: bool = False) -> str:
        """The managed part of the live database as a script; `secrets` writes them in clear."""
        return dump(self.inspect(), self.scope(), self.comparison(PrivilegeMode.MANAGED), secrets)

    def split(self, *, secrets: bool = False) -> dict[str, str]:
        """The same as texts by relative path, one for each object."""
        return split(self.inspect(), self.scope(), self.comparison(PrivilegeMode.MANAGED), secrets)

    def desired(self, live: Snapshot) -> Desired:
        """What the files declare, built in a shadow and read back."""
        script = load(Path(self.file))
        with self.reporter.phase(f"building {self.file} in a shadow"):
            return declare(
                script,
                self.shadow,
                lambda: self._elsewhere(live),
                lambda bodies: unchanged_in(self.connection, bodies) if live.objects else {},
                self.options.missing_roles,
                self.options.check_functions,
                disposable=self.disposable,
                renaming=self._renaming(script, lambda: live) if live.objects else None,
            )

    def _both(self) -> tuple[Snapshot, Desired]:
        """The live and the declared state, read at the same time: most of it is waiting for the server."""
        script = load(Path(self.file))
        asked = self._renaming(script, lambda: reading[0].result())
        reading: list[Future[Snapshot]] = []

        @contextmanager
        def shadow_while_reading() -> Iterator[psycopg.Connection[Any]]:
            with self.shadow() as connection:
                # Making the shadow asks the target; from here on only one of the two needs it.
                if not reading:
                    reading.append(pool.submit(_read, self.connection))
                yield connection

        def unchanged_when_read(bodies: Sequence[Body]) -> Mapping[str, bool]:
            reading[0].result()
            return unchanged_in(self.connection, bodies)

        with ThreadPoolExecutor(1) as pool, self.reporter.phase(f"building {self.file} in a shadow"):
            desired = declare(
                script,
                shadow_while_reading,
                lambda: self._elsewhere(reading[0].result()),
                unchanged_when_read,
                self.options.missing_roles,
                self.options.check_functions,
                disposable=self.disposable,
                renaming=asked,
            )
            return reading[0].result(), desired

    def _renaming(self, script: Script, live: Callable[[], Snapshot]) -> Renaming:
        return renaming(script, self._renames, live, self.scope().excluded)

    def _elsewhere(self, live: Snapshot) -> list[str]:
        """Statements that make what the files may refer to without declaring it."""
        unmanaged = copied_part(live, self.scope())
        return [w.step.sql for w in creation(unmanaged, Scope(frozenset()), self.comparison()).written]

    # -- what would change ----------------------------------------------------------------------

    def plan(self, allow: Collection[str] | Mapping[str, str] = (), *, safe_only: bool = False) -> Plan:
        """The plan from the live database to the files; `allow` holds consents (HAZARD[:OBJECT]),
        as a mapping with the reasons.

        With `safe_only` it has no hazard that they do not cover, and names what was left out for that.
        """
        live, desired = self._both()
        agreed = consents(self._renames, live, desired)
        request = Request(
            live=live,
            desired=desired.snapshot,
            renamed=desired.renamed,
            scope=self.scope(desired.snapshot).with_earlier(desired.renamed),
            comparison=replace(self.comparison(), restored=desired.dumped),
            target=self.target(),
            sources=desired.sources,
            allowed={**with_reasons(agreed), **with_reasons(allow)},
            missing_roles=desired.missing_roles,
            empty=desired.empty,
            files=str(self.file),
            safe_below=self.options.safe_below,
            last=last_applied(*state) if (state := last_state(self.connection)) else None,
        )
        with self.reporter.phase("planning"):
            if safe_only:
                request, made = planned_safely(request, self.connection)
            else:
                made = plan(request, self.connection)
            self.request = request
            if self.options.journal:
                made = remainder(self.connection, made, live)
        return replace(
            made,
            files=str(self.file),
            file_statements=desired.statements,
            shadow_seconds=desired.seconds,
            notices=(*made.notices, *(str(n) for n in desired.notices), *allowed_drops(made, agreed)),
            options={
                "schemas": sorted(request.scope.schemas),
                "scope": self.options.scope,
                "privileges": self.options.privileges,
                "owners": self.options.owners,
            },
        )

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

    def rehearse(self, made: Plan) -> Plan:
        """Run the plan on a throwaway copy of the live schema; see `Plan.rehearsal`."""
        request = self.requested()
        with self.reporter.phase("rehearsing on a copy"), self.shadow() as connection:
            stage = Stage(connection, self.disposable)
            made = rehearse(stage, made, request.live, request.desired, request.scope, request.comparison)
        return observed(made, Sizes(self.connection), request.safe_below)

    # -- changing it ----------------------------------------------------------------------------

    def apply(
        self,
        made: Plan | None = None,
        allow: Collection[str] | Mapping[str, str] = (),
        *,
        rehearse: bool = True,
        lock_timeout: timedelta = timedelta(seconds=3),
        lock_wait: timedelta = timedelta(0),
    ) -> Outcome:
        """Apply a plan, by default the one made now.

        Raises `RefusedError` when a hazard is not allowed, `TargetChangedError` when the database is
        no longer what the plan was made from, and `NovaopsError` when the rehearsal shows that the
        plan does not lead to what the files declare; nothing is changed then.
        """
        self.recover(lock_wait)
        return apply(
            self,
            made or self.plan(),
            allow,
            rehearse=rehearse,
            lock_timeout=lock_timeout,
            lock_wait=lock_wait,
        )

    def recover(self, lock_wait: timedelta = timedelta(0)) -> None:
        """Say what an apply that was cut off has done, and clear away what it left half done.

        `apply()` does so first of all; who makes the plan for it before calls this before that.
        """
        recover(self, lock_wait)

    def history(self) -> list[Run]:
        """The runs in the journal, the latest first; none where there is no journal."""
        return runs(self.connection)

    def recorded(self, run: int) -> tuple[Run, list[RecordedStatement]]:
        """One run with its statements; raises `NovaopsError` when there is no such run."""
        found = numbered(self.connection, run)
        return found, statements(self.connection, found)

    # -- how ------------------------------------------------------------------------------------

    def requested(self) -> Request:
        """What the last plan was made of; raises `NovaopsError` when none was made."""
        if self.request is None:
            raise NovaopsError("there is no plan of this project to rehearse", hint="call plan() first")
        return self.request

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

    @cached_property
    def _renames(self) -> RenamesFile:
        return renames_file(Path(self.file), self.options.renames)

    @cached_property
    def _ignore(self) -> Ignore:
        return Ignore.read(self.options.ignore_file, registry())

    @property
    def disposable(self) -> bool:
        """Whether the shadow is a database made for it; nothing is committed in one that somebody else made."""
        return self.options.shadow in ("server", "embedded")

    def shadow(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """An empty database; one that somebody else made is left as it was."""
        return throwaway(self.connection, self.options.shadow)


def _read(connection: psycopg.Connection[Any]) -> Snapshot:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return read(connection, list(registry().values()))
