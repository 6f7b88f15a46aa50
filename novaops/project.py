"""The library: a database, the files that declare it, and what leads from one to the other."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from novaops.catalog.read import read
from novaops.catalog.snapshot import Snapshot
from novaops.db.advisory_lock import Holder, advisory_lock
from novaops.db.connection import connect, identify
from novaops.db.embedded import EmbeddedServer, default_directory
from novaops.desired.bodies import unchanged_in
from novaops.desired.body_findings import Body
from novaops.desired.build import Desired
from novaops.desired.declare import declare
from novaops.desired.files import load
from novaops.desired.shadow import created, shadow
from novaops.errors import NovaopsError, RefusedError, TargetChangedError
from novaops.execution.apply import run
from novaops.execution.rehearse import Stage, rehearse
from novaops.ignore import Ignore
from novaops.kinds import registry
from novaops.planning.diff import Comparison, diff
from novaops.planning.dump import copied_part, creation, dump, split
from novaops.planning.hazard_codes import consent, with_consent
from novaops.planning.plan import Plan, Target
from novaops.planning.planner import Request, live_fingerprint, plan
from novaops.planning.privileges import PrivilegeMode
from novaops.planning.scope import Scope
from novaops.progress import Reporter, Silent

SHOWN = 8
"""How many differences an error lists."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a plan manages and how; the words are those of the command line.

    `shadow` is "server" (a database made and dropped on the target's server), "embedded", or the
    URL of an empty database. `ignore_file` is read when it exists.
    """

    schemas: tuple[str, ...] = ()
    scope: str = "schemas"
    privileges: str = "auto"
    owners: str = "ignore"
    missing_roles: str = "error"
    check_functions: str = "auto"
    shadow: str = "server"
    ignore_file: Path | None = Path(".pgschemaignore")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did. `left` names differences that remain afterwards: none when it converged."""

    statements: int
    seconds: float
    left: tuple[str, ...] = ()
    rehearsal: Mapping[str, object] | None = None


@dataclass
class Project:
    """One database and its declared schema; a context manager that closes its connection.

    `conninfo` is a URL, libpq's key=value text, or a mapping of libpq's keywords.
    """

    conninfo: str | Mapping[str, str]
    file: Path | str = Path("schema/schema.sql")
    options: Options = field(default_factory=Options)
    reporter: Reporter = field(default_factory=Silent)
    _request: Request | None = field(default=None, init=False, repr=False)

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
        return dump(self.inspect(), self._scope(), self._comparison(PrivilegeMode.MANAGED), secrets)

    def split(self, *, secrets: bool = False) -> dict[str, str]:
        """The same as texts by relative path, one for each object."""
        return split(self.inspect(), self._scope(), self._comparison(PrivilegeMode.MANAGED), secrets)

    def desired(self, live: Snapshot) -> Desired:
        """What the files declare, built in a shadow and read back."""
        with self.reporter.phase(f"building {self.file} in a shadow"):
            return declare(
                load(Path(self.file)),
                self._shadow,
                lambda: self._elsewhere(live),
                lambda bodies: unchanged_in(self.connection, bodies) if live.objects else {},
                self.options.missing_roles,
                self.options.check_functions,
                disposable=self._disposable,
            )

    def _both(self) -> tuple[Snapshot, Desired]:
        """The live and the declared state, read at the same time: most of it is waiting for the server."""
        script = load(Path(self.file))
        reading: list[Future[Snapshot]] = []

        @contextmanager
        def shadow_while_reading() -> Iterator[psycopg.Connection[Any]]:
            with self._shadow() as connection:
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
                disposable=self._disposable,
            )
            return reading[0].result(), desired

    def _elsewhere(self, live: Snapshot) -> list[str]:
        """Statements that make what the files may refer to without declaring it."""
        unmanaged = copied_part(live, self._scope())
        return [w.step.sql for w in creation(unmanaged, Scope(frozenset()), self._comparison()).written]

    # -- what would change ----------------------------------------------------------------------

    def plan(self, allow: Collection[str] = ()) -> Plan:
        """The plan from the live database to the files; `allow` holds consents (HAZARD[:OBJECT])."""
        live, desired = self._both()
        request = Request(
            live=live,
            desired=desired.snapshot,
            scope=self._scope(desired.snapshot),
            comparison=self._comparison(),
            target=self.target(),
            sources=desired.sources,
            allowed=frozenset(consent(text) for text in allow),
            missing_roles=desired.missing_roles,
            empty=desired.empty,
            files=str(self.file),
        )
        self._request = request
        with self.reporter.phase("planning"):
            made = plan(request, self.connection)
        return replace(
            made,
            files=str(self.file),
            file_statements=desired.statements,
            shadow_seconds=desired.seconds,
            notices=(*made.notices, *(str(n) for n in desired.notices)),
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
        request = self._requested()
        with self.reporter.phase("rehearsing on a copy"), self._shadow() as connection:
            stage = Stage(connection, self._disposable)
            return rehearse(stage, made, request.live, request.desired, request.scope, request.comparison)

    # -- changing it ----------------------------------------------------------------------------

    def apply(
        self,
        made: Plan | None = None,
        allow: Collection[str] = (),
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
        made = with_consent(made or self.plan(), frozenset(consent(text) for text in allow))
        _check_blocked(made)
        if not made.statements:
            return Outcome(0, 0.0)
        started = time.monotonic()
        with advisory_lock(self.connection, wait=lock_wait, waiting=self._waiting):
            self._check_unchanged(made)
            if rehearse and self._request is not None:
                made = self.rehearse(made)
                self._check_rehearsal(made)
            ran = run(self.connection, made, lock_timeout, self.reporter)
            left = self._left()
        return Outcome(ran, time.monotonic() - started, left, made.rehearsal)

    def _waiting(self, holder: Holder) -> None:
        self.reporter.waiting(f"another novaops is at work on {self.connection.info.dbname}: {holder}")

    def _check_unchanged(self, made: Plan) -> None:
        if self.target().place != made.target.place:
            raise TargetChangedError(
                f"the plan is for {made.target.database}, another database than the one connected to",
                hint="plan again for this database, or connect to the one that was planned for",
            )
        if live_fingerprint(self.inspect(), self._scope()) != made.source_fingerprint:
            raise TargetChangedError(
                f"{made.target.database} has changed since the plan was made; nothing was applied",
                hint="run `novaops plan` again and look at the difference",
            )

    def _check_rehearsal(self, made: Plan) -> None:
        verdict = made.rehearsal or {}
        if verdict.get("converges"):
            return
        if not verdict.get("faithful"):
            self.reporter.note(
                f"not rehearsed: the copy differs from the live schema ({verdict.get('error') or _listed(verdict)})"
            )
            return
        raise NovaopsError(
            "the rehearsal on a copy did not lead to what the files declare; nothing was applied",
            detail=str(verdict.get("error") or f"still different: {_listed(verdict)}"),
            hint="this is a defect of novaops: please report the plan (novaops plan --format json)",
        )

    def _left(self) -> tuple[str, ...]:
        if self._request is None:
            return ()
        request = self._request
        changes = diff(self.inspect(), request.desired, request.scope, request.comparison)
        return tuple(f"{a.type} {'.'.join(a.names)}" for a in sorted(changes))

    # -- how ------------------------------------------------------------------------------------

    def _requested(self) -> Request:
        if self._request is None:
            raise NovaopsError("there is no plan of this project to rehearse", hint="call plan() first")
        return self._request

    def _scope(self, desired: Snapshot | None = None) -> Scope:
        return Scope.of(
            frozenset(self.options.schemas),
            self.options.scope == "database",
            self._ignore,
            desired or Snapshot({}),
        )

    def _comparison(self, mode: PrivilegeMode | None = None) -> Comparison:
        chosen = PrivilegeMode(self.options.privileges)
        if mode is not None and chosen is PrivilegeMode.AUTO:
            chosen = mode
        ignore = self._ignore
        return Comparison(
            chosen, self.options.owners == "managed", ignore.matches_grantee, ignore.matches_default_grantee
        )

    @cached_property
    def _ignore(self) -> Ignore:
        return Ignore.read(self.options.ignore_file, registry())

    @property
    def _disposable(self) -> bool:
        """Whether the shadow is a database made for it; nothing is committed in one that somebody else made."""
        return self.options.shadow in ("server", "embedded")

    @contextmanager
    def _shadow(self) -> Iterator[psycopg.Connection[Any]]:
        """An empty database; one that somebody else made is left as it was."""
        match self.options.shadow:
            case "server":
                with shadow(self.connection) as connection:
                    yield connection
            case "embedded":
                major = self.connection.info.server_version // 10000
                server = EmbeddedServer(default_directory(major), major)
                with (
                    server.running(),
                    created(make_conninfo(**server.connection_parameters())) as connection,
                ):
                    yield connection
            case url:
                with shadow(self.connection, url) as connection:
                    yield connection


def _read(connection: psycopg.Connection[Any]) -> Snapshot:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return read(connection, list(registry().values()))


def _listed(verdict: Mapping[str, Any]) -> str:
    """The first of the differences that a rehearsal has left."""
    left = verdict["left"]
    more = f" and {len(left) - SHOWN:,} more" if len(left) > SHOWN else ""
    return ", ".join(left[:SHOWN]) + more


def _check_blocked(made: Plan) -> None:
    if made.blocked:
        hazards = ", ".join(h.consent for h in made.blocked)
        allow = " ".join(f"--allow {h.consent}" for h in made.blocked)
        raise RefusedError(
            f"not allowed: {hazards}; nothing was applied", hint=f"to go on: novaops apply {allow}"
        )
