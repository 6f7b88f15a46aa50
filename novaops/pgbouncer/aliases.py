"""The library behind `novaops alias`: what the commands call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from novaops.errors import NovaopsError, UsageError
from novaops.invocation import command_line
from novaops.pgbouncer import inventory_edit
from novaops.pgbouncer.apply import Order, bring, reload_only
from novaops.pgbouncer.check import Report, file_findings, pooler_findings, server_findings
from novaops.pgbouncer.drain import Drain
from novaops.pgbouncer.explain import Explanation, explain
from novaops.pgbouncer.groundwork import Groundwork, Outcome, Servers, proven
from novaops.pgbouncer.installation import Installation, read_installation
from novaops.pgbouncer.inventory import (
    Alias,
    Inventory,
    checked,
    no_target,
)
from novaops.pgbouncer.names import refuse_secret
from novaops.pgbouncer.pooler import Pooler
from novaops.pgbouncer.probe import Probe
from novaops.pgbouncer.propose import Proposal, propose
from novaops.pgbouncer.rendering import Rendered, render_files
from novaops.pgbouncer.rotate import Rotation, discard, generated
from novaops.pgbouncer.secrets import Secrets
from novaops.pgbouncer.server import open_servers


class Aliases(Groundwork):
    """What the commands do; each method takes the locks it needs."""

    def test(self, names: Sequence[str] = (), password: str | None = None) -> list[Probe]:
        """Log in through the aliases, or those of these names."""
        inventory = self.inventory()
        chosen = [inventory.find(name) for name in names] or list(inventory.aliases)
        if password is not None and len(chosen) != 1:
            raise UsageError(
                "one password is for one alias",
                hint=command_line(
                    "alias test", "--password-stdin", arguments=[chosen[0].name if chosen else "NAME"]
                ),
            )
        installation = read_installation(inventory.settings)
        with self._servers(chosen) as (servers, _):
            return [self._probe(alias, installation, servers, password) for alias in chosen]

    # -- changing -------------------------------------------------------------------------------

    def add(
        self,
        alias: Alias,
        *,
        password: str | None = None,
        create_role: bool = False,
        take_over: bool = False,
        shadow: bool = False,
        dry_run: bool = False,
    ) -> Outcome:
        """Declare the alias, or change it, and serve it. Raises `NovaopsError` with everything as it was."""

        def work() -> Outcome:
            inventory = self.inventory()
            installation = read_installation(inventory.settings)
            checked(alias, installation.version)
            before = next((a for a in inventory.aliases if a.name == alias.name), None)
            text = inventory_edit.read(self.path)
            new_text = inventory_edit.with_alias(text, alias, inventory.settings) if alias != before else text
            aliases = [a for a in inventory.aliases if a.name != alias.name]
            place = next((i for i, a in enumerate(inventory.aliases) if a.name == alias.name), len(aliases))
            after = replace(inventory, aliases=(*aliases[:place], alias, *aliases[place:]))
            with self._servers(after.aliases) as (servers, failed):
                self._check_target(alias, servers, shadow=shadow)
                made = create_role and not dry_run and self._create_role(alias, servers, password)
                try:
                    secrets = self._secrets(
                        after, installation, servers, failed, {alias.user: password} if password else {},
                        set() if create_role and dry_run else {alias.user}, dry_run=dry_run,
                    )  # fmt: skip
                    return self._bring(
                        after, installation, secrets, servers, text, new_text, alias,
                        "unchanged" if new_text == text else "changed" if before else "added",
                        take_over=frozenset({alias.name} if take_over else ()), dry_run=dry_run, password=password,
                    )  # fmt: skip
                except BaseException:
                    if made:
                        self._drop_role(alias, servers)
                    raise

        with self._locked():
            return self._until_unedited(work)

    def apply(self, *, drain: Drain | None = None, dry_run: bool = False) -> Outcome:
        """Bring files and pooler to what novaops.toml declares; what it no longer declares is drained and removed."""
        with self._locked():
            inventory = self.inventory()
            installation = read_installation(inventory.settings)
            going = [n for n in installation.own_names() if n not in {a.name for a in inventory.aliases}]

            def work() -> Outcome:
                return self._bring_declared(
                    self.inventory(), None, "unchanged", frozenset(going), dry_run=dry_run
                )

            with self._leaving(installation, going if not dry_run else [], drain or Drain()):
                return self._until_unedited(work)

    def _bring_declared(
        self,
        inventory: Inventory,
        alias: Alias | None,
        declared: str,
        removes: frozenset[str],
        *,
        dry_run: bool,
    ) -> Outcome:
        """Bring files, read at this moment, and pooler to the inventory."""
        installation = read_installation(inventory.settings)
        for each in inventory.aliases:
            checked(each, installation.version)
        text = inventory_edit.read(self.path)
        with self._servers(inventory.aliases) as (servers, failed):
            secrets = self._secrets(inventory, installation, servers, failed, {}, set(), dry_run=dry_run)
            return self._bring(
                inventory, installation, secrets, servers, text, text, alias, declared,
                removes=removes, dry_run=dry_run,
            )  # fmt: skip

    def remove(self, name: str, *, drain: Drain | None = None, dry_run: bool = False) -> Outcome:
        """Take no new clients, wait for those that are connected, and remove the alias."""
        with self._locked():
            inventory = self.inventory()
            installation = read_installation(inventory.settings)
            alias = self._to_remove(inventory, installation, name)
            gone = alias.name if alias else name
            if dry_run:
                after = replace(inventory, aliases=tuple(a for a in inventory.aliases if a.name != gone))
                return self._bring_declared(after, alias, "removed", frozenset({gone}), dry_run=True)
            # What is declared comes first: a run that is interrupted here is finished by the next one.
            text, new_text = self._until_unedited(lambda: self._undeclare(gone))

            def work() -> Outcome:
                return self._bring_declared(
                    self.inventory(), alias, "removed", frozenset({gone}), dry_run=False
                )

            going = [gone] if gone in installation.own_names() else []
            try:
                with self._leaving(installation, going, drain or Drain()):
                    return self._until_unedited(work)
            except BaseException:
                if new_text != text:
                    self._declare_again(text, new_text)
                raise

    def _undeclare(self, name: str) -> tuple[str, str]:
        """Remove the alias from novaops.toml; returns the text of before and the new one."""
        text = inventory_edit.read(self.path)
        new_text = inventory_edit.without_alias(text, name)
        if new_text != text:
            self._declare(new_text, text)
        return text, new_text

    def rename(self, old: str, new: str, *, drain: Drain | None = None, dry_run: bool = False) -> Outcome:
        """Serve the alias under the new name too, wait until nobody uses the old one, and remove that.

        A rename that was interrupted after novaops.toml was written is completed.
        """
        with self._locked():
            inventory = self.inventory()
            declared = {a.name: a for a in inventory.aliases}
            first: Outcome | None = None
            own = read_installation(inventory.settings).own_names()
            if old in declared or new not in declared or old not in own:
                first = self._until_unedited(lambda: self._serve_both(old, new, dry_run=dry_run))
                if dry_run:
                    return first
                old = inventory.find(old).name
            gone = frozenset({old})

            def work() -> Outcome:
                now = self.inventory()
                return self._bring_declared(now, now.find(new), "renamed", gone, dry_run=dry_run)

            if dry_run:
                return work()
            try:
                with self._leaving(
                    read_installation(inventory.settings), [old], drain or Drain(), serving=True
                ):
                    last = self._until_unedited(work)
            except NovaopsError as error:
                again = command_line("alias rename", arguments=[old, new])
                error.hint = (
                    f"{new} is served already; {again} removes {old} later, and --force cuts its clients off"
                )
                raise
            changes = (*(first.applied.changes if first else ()), *last.applied.changes)
            return replace(last, applied=replace(last.applied, changes=changes))

    def _serve_both(self, old: str, new: str, *, dry_run: bool) -> Outcome:
        """Serve the alias under both names, and declare the new one instead of the old one."""
        inventory = self.inventory()
        installation = read_installation(inventory.settings)
        alias = inventory.find(old)
        if any(a.name == new for a in inventory.aliases):
            raise UsageError(
                f"there is an alias {new} already", hint="choose another name, or remove that first"
            )
        fresh = checked(replace(alias, name=new), installation.version)
        text = inventory_edit.read(self.path)
        new_text = inventory_edit.renamed(text, alias.name, new)
        both = replace(inventory, aliases=(*inventory.aliases, fresh))
        after = replace(
            inventory, aliases=tuple(fresh if a.name == alias.name else a for a in inventory.aliases)
        )
        with self._servers(both.aliases) as (servers, failed):
            self._check_target(fresh, servers, shadow=None)
            secrets = self._secrets(both, installation, servers, failed, {}, set(), dry_run=dry_run)
            done = self._bring(
                after if dry_run else both, installation, secrets, servers, text, text, fresh, "renamed",
                removes=frozenset({alias.name}) if dry_run else frozenset(), dry_run=dry_run,
            )  # fmt: skip
        if not dry_run:
            self._declare(new_text, text)
        return done

    def reload(self) -> Outcome:
        """Tell the pooler to read its files, and compare what it serves."""

        def work() -> Outcome:
            inventory = self.inventory()
            installation = read_installation(inventory.settings)
            own = set(installation.own_names())
            aliases = tuple(a for a in inventory.aliases if a.name in own)
            secrets = Secrets(installation.own_users(), {}, ())
            order = Order(inventory, aliases, secrets, force_reload=True)
            return Outcome(None, "unchanged", reload_only(installation, order, self.reporter))

        with self._locked():
            return self._until_unedited(work)

    def rotate(self, name: str, password: str | None, write_to: Path | None) -> Outcome:
        """A new password for the user of an alias: server, userlist.txt, RELOAD, RECONNECT, login.

        `password` is the new one; without it one is made and written to the new file `write_to`.
        """

        def work() -> Outcome:
            inventory = self.inventory()
            installation = read_installation(inventory.settings)
            alias = inventory.find(name)
            with self._servers(inventory.aliases) as (servers, failed):
                place = (alias.target.host, alias.target.port, alias.target.database)
                if place not in servers:
                    raise NovaopsError(
                        f"{alias.target} cannot be reached", detail=failed[place], hint="see --url"
                    )
                if password is not None and (refused := refuse_secret(password)):
                    raise refused.error(f"the new password of {alias.user}")
                new = password if password is not None else generated(write_to or Path())
                return self._rotated(inventory, installation, alias, new, servers, failed, write_to)

        with self._locked():
            return self._until_unedited(work)

    def _rotated(
        self, inventory: Inventory, installation: Installation, alias: Alias, password: str,
        servers: Servers, failed: Mapping[tuple[str, int, str], str], written: Path | None,
    ) -> Outcome:  # fmt: skip
        probes: list[Probe] = []
        server = servers[alias.target.host, alias.target.port, alias.target.database]
        try:
            rotation = Rotation(server, alias.user, server.verifier_of(password, alias.user))
        except BaseException:
            discard(written)
            raise

        def prove() -> None:
            pooler = Pooler(installation.settings, read_installation(installation.settings).ini)
            try:
                if pooler.console is not None:
                    for each in (a for a in inventory.aliases if a.user == alias.user):
                        pooler.console.command("RECONNECT", each.name)
            finally:
                pooler.close()
            probes.append(proven(self._probe(alias, installation, servers, password)))

        try:
            secrets = self._secrets(inventory, installation, servers, failed, {}, {alias.user})
            order = Order(
                inventory, inventory.aliases, secrets, force_reload=True, written=rotation.commit, prove=prove
            )
            applied = bring(installation, order, self.reporter)
        except BaseException as error:
            why = rotation.undo_quietly()
            if why is None:
                discard(written)
            elif isinstance(error, NovaopsError):
                # Whoever mends that needs the password that the server may have.
                error.detail = f"{error.detail or ''}\nthe server could not be set back: {why}".strip()
            raise
        return Outcome(alias, "rotated", applied, tuple(probes))

    # -- reports --------------------------------------------------------------------------------

    def check(self, *, pooler: bool = True, server: bool = True) -> Report:
        """Compare what is declared with files, pooler and servers; the two last only if they are wanted."""
        inventory = self.inventory()
        installation = read_installation(inventory.settings)
        findings = list(file_findings(inventory, installation))
        looked, left = ["files"], []
        if pooler and installation.ini_text is not None:
            running = Pooler(installation.settings, installation.ini)
            try:
                findings += pooler_findings(inventory, installation, running)
            finally:
                running.close()
            looked.append("pooler")
        else:
            left.append("pooler")
        if server:
            with self._servers(inventory.aliases) as (servers, failed):
                findings += server_findings(inventory, installation, servers, failed)
            looked.append("servers")
        else:
            left.append("servers")
        return Report(tuple(dict.fromkeys(findings)), tuple(looked), tuple(left))

    def explain(self, name: str) -> Explanation:
        """All that is known of one alias."""
        inventory = self.inventory()
        return explain(inventory.find(name), read_installation(inventory.settings))

    def propose(self) -> list[Proposal]:
        """What the table agents of the default target asks for."""
        inventory = self.inventory()
        target = inventory.default
        if target is None:
            raise no_target()
        opened, failed = open_servers(self.base, [(target.host, target.port, target.database)])
        if not opened:
            raise NovaopsError(
                f"{target} cannot be reached", detail=next(iter(failed.values())), hint="see --url"
            )
        (server,) = opened.values()
        try:
            return propose(inventory, server)
        finally:
            server.close()

    def render(self, output: Path | None, *, whole: bool = False, with_secrets: bool = False) -> Rendered:
        """The files as they would be, from those in `output` or of the installation; nothing is served."""
        inventory = self.inventory()
        secrets, lacking = Secrets({}, {}, ()), tuple(self._need_secrets(inventory))
        if with_secrets:
            if inventory.settings.auth == "auth_query" and not inventory.settings.auth_password_command:
                raise UsageError(
                    f"the password of {inventory.settings.auth_user} is not known",
                    hint="give it by auth_password_command in [pgbouncer] of novaops.toml",
                )
            installation = replace(read_installation(inventory.settings), userlist_text=None)
            with self._servers(inventory.aliases) as (servers, failed):
                users = set(self._need_secrets(inventory))
                secrets = self._secrets(inventory, installation, servers, failed, {}, users, dry_run=True)
            lacking = ()
        return render_files(inventory, secrets.own, lacking, output, whole=whole)

    @staticmethod
    def _need_secrets(inventory: Inventory) -> list[str]:
        return (
            [inventory.settings.auth_user] if inventory.settings.auth == "auth_query" else inventory.users()
        )
