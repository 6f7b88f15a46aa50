"""What every change of aliases is made of: locks, servers, secrets, and the write that is taken back on an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from novaops.errors import NovaopsError, UsageError
from novaops.invocation import command_line
from novaops.pgbouncer import files, inventory_edit
from novaops.pgbouncer.apply import Applied, Order, bring
from novaops.pgbouncer.auth_user import auth_password
from novaops.pgbouncer.budget import Budget, budget
from novaops.pgbouncer.drain import Drain, drained
from novaops.pgbouncer.explain import POOL_MODES
from novaops.pgbouncer.installation import Installation, read_installation
from novaops.pgbouncer.inventory import (
    FILE,
    Alias,
    Inventory,
    Target,
    read_inventory,
)
from novaops.pgbouncer.names import refuse_secret
from novaops.pgbouncer.pooler import Pooler, client_host, client_port
from novaops.pgbouncer.probe import Probe, password_for, probe
from novaops.pgbouncer.secrets import Known, Secrets, resolve
from novaops.pgbouncer.server import Server, open_servers
from novaops.progress import Reporter, Silent

Result = TypeVar("Result")
Servers = Mapping[tuple[str, int, str], Server]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has done to one alias or to all of them."""

    alias: Alias | None
    declared: str
    """`added`, `changed`, `unchanged`, `removed` …: what happened to novaops.toml."""
    applied: Applied
    probes: tuple[Probe, ...] = ()
    budget: Budget | None = None

    @property
    def warning(self) -> str | None:
        """What a mode of pooling that was asked for takes away."""
        if self.alias is None or self.declared == "removed" or self.alias.pool_mode == "session":
            return None
        return f"{self.alias.pool_mode} pooling: {POOL_MODES[self.alias.pool_mode]}"

    @property
    def nothing_to_do(self) -> bool:
        applied = self.applied
        written = applied.changes or applied.validated or applied.reloaded or applied.enabled
        return not written and self.declared == "unchanged"


@dataclass
class Groundwork:
    """The aliases of one novaops.toml.

    `base` is the login to the servers (libpq's keywords); its database and place are the default target.
    """

    base: Mapping[str, str]
    path: Path = field(default_factory=lambda: Path(FILE))
    reporter: Reporter = field(default_factory=Silent)

    @property
    def default(self) -> Target | None:
        database, host = self.base.get("dbname"), self.base.get("host")
        return Target(database, host, int(self.base.get("port", "5432"))) if database and host else None

    def inventory(self) -> Inventory:
        return read_inventory(self.path, self.default)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other runs away from novaops.toml and from the files of the pooler."""
        folder = self.path.absolute().parent
        ini = self.inventory().settings.ini.parent
        if not ini.is_dir():
            raise NovaopsError(
                f"there is no folder {ini} for pgbouncer's files",
                hint="install pgbouncer, or name its file by ini in [pgbouncer] of novaops.toml; "
                f"{command_line('alias render', '--output', 'DIR')} writes the files somewhere else",
            )
        with files.locked([folder, ini], self.reporter.waiting):
            files.remove(files.unfinished(self.path))
            yield

    def _until_unedited(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns; call it again, to read the files again, if somebody edits one meanwhile."""
        for _ in range(files.TRIES - 1):
            try:
                return work()
            except files.EditedMeanwhile as error:
                self.reporter.note(f"{error.message}: starting over from the new text")
        return work()

    def _declare(self, text: str, before: str) -> None:
        """Replace novaops.toml, unless it no longer says what was read: `before`."""
        with self.reporter.phase(f"writing {self.path.name}"):
            if inventory_edit.read(self.path) != before:
                raise files.EditedMeanwhile(self.path)
            inventory_edit.write(self.path, text)

    def _declare_again(self, text: str, written: str) -> None:
        """Put novaops.toml back, unless somebody has edited it since novaops wrote it."""
        try:
            self._declare(text, written)
        except files.EditedMeanwhile:
            self.reporter.note(f"{self.path.name} was edited meanwhile, so it was not put back")

    @contextmanager
    def _servers(
        self, aliases: Iterable[Alias]
    ) -> Iterator[tuple[Servers, Mapping[tuple[str, int, str], str]]]:
        places = [(a.target.host, a.target.port, a.target.database) for a in aliases]
        with self.reporter.phase("connecting to the servers"):
            opened, failed = open_servers(self.base, places)
        try:
            yield opened, failed
        finally:
            for server in opened.values():
                server.close()

    def _secrets(
        self,
        inventory: Inventory,
        installation: Installation,
        servers: Servers,
        failed: Mapping[tuple[str, int, str], str],
        given: Mapping[str, str],
        focus: set[str],
        *,
        dry_run: bool = False,
    ) -> Secrets:
        """Secrets of all users; those of `focus` must have one. Under auth_query only the auth user has."""
        if not inventory.aliases:
            return Secrets({}, {}, ())
        by_user: dict[str, Alias] = {}
        for alias in inventory.aliases:
            by_user.setdefault(alias.user, alias)
        known = {user: _known(user, alias.target, servers, failed) for user, alias in by_user.items()}
        text, path, auth_type = installation.userlist_text, installation.auth_file, installation.auth_type
        if inventory.settings.auth == "userlist":
            for user in focus & set(by_user):
                one_verifier(user, [a for a in inventory.aliases if a.user == user], servers)
            return resolve(list(by_user), known, given, text, path, auth_type, focus)
        # They are looked at all the same: who has none that is valid gets in by no way.
        resolve(sorted(focus & set(by_user)), known, given, text, path, auth_type, focus)
        user = inventory.settings.auth_user
        one_each = {(host, port): server for (host, port, _), server in servers.items()}
        password = auth_password(inventory.settings, installation, list(one_each.values()), dry_run=dry_run)
        return resolve([user], {user: Known(None)}, {user: password}, text, path, auth_type, {user}, {user})

    def _bring(
        self,
        inventory: Inventory,
        installation: Installation,
        secrets: Secrets,
        servers: Servers,
        text: str,
        new_text: str,
        alias: Alias | None,
        declared: str,
        *,
        removes: frozenset[str] = frozenset(),
        take_over: frozenset[str] = frozenset(),
        dry_run: bool = False,
        password: str | None = None,
    ) -> Outcome:
        """Write novaops.toml, then files and pooler; on an error all of them are as before."""
        probes: list[Probe] = []
        focus = alias if alias is not None and alias in inventory.aliases else None

        def prove() -> None:
            if focus is not None:
                probes.append(proven(self._probe(focus, installation, servers, password)))

        order = Order(
            inventory,
            inventory.aliases,
            secrets,
            take_over,
            removes,
            frozenset({focus.name} if focus else (a.name for a in inventory.aliases)),
            dry_run,
            prove=None if dry_run else prove,
        )
        if inventory.settings.auth == "auth_query" and not dry_run:
            self._install_auth_functions(inventory, servers)
        write = new_text != text and not dry_run
        if write:
            self._declare(new_text, text)
        try:
            applied = bring(installation, order, self.reporter)
        except BaseException:
            if write:
                self._declare_again(text, new_text)
            raise
        after = read_installation(inventory.settings)
        return Outcome(alias, declared, applied, tuple(probes), budget(inventory, after, servers, alias))

    def _install_auth_functions(self, inventory: Inventory, servers: Servers) -> None:
        for server in servers.values():
            server.install_auth_function(inventory.settings.auth_user)

    def _probe(
        self, alias: Alias, installation: Installation, servers: Servers, password: str | None
    ) -> Probe:
        target = alias.target
        server = servers.get((target.host, target.port, target.database))
        with self.reporter.phase(f"logging in through {alias.name}"):
            # What was started listens where the ini says that it was started with.
            known = (
                installation
                if installation.ini_text is not None
                else read_installation(installation.settings)
            )
            settings, ini = installation.settings, known.ini
            host, port = client_host(settings, ini), client_port(settings, ini)
            with closing(Pooler(settings, ini)) as pooler:
                mode = pooler.pool_mode(alias.name)
            direct = server.connection if server else None
            return probe(alias, host, port, password_for(alias, password), direct, mode)

    @contextmanager
    def _leaving(
        self, installation: Installation, names: Sequence[str], drain: Drain, *, serving: bool = False
    ) -> Iterator[None]:
        """Aliases that go take no new clients, and nobody is connected through them any more.

        `serving` lets clients in until nobody is connected.
        """
        if not names or installation.ini_text is None:
            yield
            return
        with (
            closing(Pooler(installation.settings, installation.ini)) as pooler,
            drained(pooler, names, drain, self.reporter, serving=serving),
        ):
            yield

    def _check_target(self, alias: Alias, servers: Servers, *, shadow: bool | None) -> None:
        """Refuse a name that hides a database, unless `shadow`; None is for callers that have no such consent."""
        target = alias.target
        server = servers.get((target.host, target.port, target.database))
        if server is None:
            return
        names = server.databases()
        if alias.name in names and alias.name != target.database and not shadow:
            raise NovaopsError(
                f"{target.host}:{target.port} has a database {alias.name}",
                detail=f"the alias would hide it: by the pooler's port, {alias.name} would be {target.database}, "
                "by the server's port the database itself",
                hint="choose another name"
                + ("" if shadow is None else " with --alias NAME, or go on with --shadow"),
            )

    def _create_role(self, alias: Alias, servers: Servers, password: str | None) -> bool:
        """Make the role if the server has none; whether it was made."""
        target = alias.target
        server = servers.get((target.host, target.port, target.database))
        if server is None or password is None:
            raise UsageError(
                "--create-role needs the server and a password",
                hint="give it by --password-stdin or --password-command",
            )
        if (server.roles([alias.user]) or {}).get(alias.user):
            return False
        if refused := refuse_secret(password):
            raise refused.error(f"the password of {alias.user}")
        server.create_role(alias.user, server.verifier_of(password, alias.user))
        return True

    def _drop_role(self, alias: Alias, servers: Servers) -> None:
        """Take back a role that was made a moment ago."""
        target = alias.target
        servers[target.host, target.port, target.database].drop_role(alias.user)

    def _to_remove(self, inventory: Inventory, installation: Installation, name: str) -> Alias | None:
        """The alias, also one that is in the files only: what a removal that was cut off has left."""
        try:
            return inventory.find(name)
        except UsageError:
            if name in installation.own_names():
                return None
            raise


def _known(user: str, target: Target, servers: Servers, failed: Mapping[tuple[str, int, str], str]) -> Known:
    place = (target.host, target.port, target.database)
    server = servers.get(place)
    if server is None:
        return Known(None, failed.get(place, f"{target} was not asked"))
    roles = server.roles([user])
    if roles is None:
        return Known(None, f"{server.identity.user} is not one on {target.host}:{target.port}")
    return Known({user: roles.get(user)})


def one_verifier(user: str, aliases: Sequence[Alias], servers: Servers) -> None:
    """Refuse a user whose verifiers differ between servers: userlist.txt holds one secret of a user."""
    found: dict[str, str] = {}
    for alias in aliases:
        target = alias.target
        server = servers.get((target.host, target.port, target.database))
        role = (server.roles([user]) or {}).get(user) if server else None
        if role is not None and role.verifier:
            found[f"{target.host}:{target.port}"] = role.verifier
    if len(set(found.values())) > 1:
        raise NovaopsError(
            f"{user} has different verifiers on {' and '.join(found)}",
            detail="userlist.txt holds one secret of a user, so logins to all but one of these servers would fail",
            hint="give the role the same verifier everywhere (ALTER ROLE … PASSWORD with that text), or set "
            'auth = "auth_query" in [pgbouncer]: then each server is asked',
        )


def proven(found: Probe) -> Probe:
    """Raise what a login has shown to be wrong."""
    if not found.wrong:
        return found
    wrong = [f.text for f in found.findings if f.good is False]
    raise NovaopsError(
        f"a login as {found.user} through {found.alias} does not do what it should",
        detail=found.error or "\n".join(wrong),
        hint="the files are as they were before; if it is the password that was tried, give the right one by "
        "--password-stdin, or correct ~/.pgpass and PGPASSWORD",
    )
