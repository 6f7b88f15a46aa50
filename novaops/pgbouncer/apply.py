"""Bring the files and the running pooler to what novaops.toml declares, or leave both as they were.

Two files cannot be replaced in one step, so they are replaced in an order in which every pair in between
works: first userlist.txt with the users of before and after, then pgbouncer.ini, then userlist.txt without those
that nobody needs any more. A run that is killed leaves the old aliases or the new ones; the next run goes on from
there, since it compares what is declared with the files and with what is served.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.pgbouncer import files
from novaops.pgbouncer.changes import FileChange, ini_changes, user_changes
from novaops.pgbouncer.files import PRIVATE, EditedMeanwhile
from novaops.pgbouncer.grammar import decode, encode, read_ini
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.inventory import Alias, Inventory
from novaops.pgbouncer.log_watch import LogWatch
from novaops.pgbouncer.pooler import Mismatch, Pooler, compare, remembered
from novaops.pgbouncer.render import (
    Texts,
    Wanted,
    is_whole,
    outside,
    own_users,
    render,
    with_own_parts_of,
    without_entries,
)
from novaops.pgbouncer.secrets import Secrets
from novaops.pgbouncer.userlist import read_userlist
from novaops.pgbouncer.validation import validated
from novaops.progress import Reporter


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, and what it was proven by."""

    changes: tuple[FileChange, ...] = ()
    validated: str | None = None
    """What read the files before they were put in place."""
    backups: tuple[str, ...] = ()
    reloaded: str | None = None
    """`RELOAD`, `SIGHUP` …; None where nothing was to be told."""
    enabled: tuple[str, ...] = ()
    """Aliases that take clients again: somebody, or an interrupted removal, had disabled them."""
    served: int | None = None
    """How many aliases the pooler serves as written; None where that could not be asked."""
    restarts: tuple[str, ...] = ()
    """What takes a restart of pgbouncer."""
    notes: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What to bring about. `take_over` are names whose lines written by hand are replaced."""

    inventory: Inventory
    aliases: tuple[Alias, ...]
    secrets: Secrets
    take_over: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    """Aliases whose removal is meant; others that would go are an error."""
    enables: frozenset[str] = frozenset()
    """Aliases that take clients afterwards, even if somebody has disabled them."""
    dry_run: bool = False
    force_reload: bool = False
    written: Callable[[], None] | None = field(default=None, compare=False)
    """Called when the files are in place, before the pooler is told."""
    prove: Callable[[], None] | None = field(default=None, compare=False)
    """Called when everything is served; an error takes it all back."""


def bring(installation: Installation, order: Order, reporter: Reporter) -> Applied:
    """Do it; the caller holds the locks. Raises `NovaopsError` with everything as before."""
    base = _taken_over(installation, order)
    base.check(order.aliases)
    wanted = installation.wanted(order.inventory, order.aliases, order.secrets.own)
    new = render(wanted, base.ini_text, base.userlist_text)
    changes = (*ini_changes(installation, new), *user_changes(installation, new, order.secrets))
    _only_meant(installation, order)
    present = Texts(installation.ini_text or "", installation.userlist_text or "")
    changed = new != present or installation.ini_text is None
    after = read_ini(
        installation.settings.ini, new.ini, wanted.version, installation.settings.working_directory
    )
    done = Applied(changes=changes, notes=order.secrets.notes, dry_run=order.dry_run)
    if changed:
        done = replace(done, validated=validated(installation, new, wanted, reporter))
    if order.dry_run:
        return done
    if changed:
        files.need_writable((installation.ini_file, installation.auth_file))
    pooler = Pooler(installation.settings, after, None if installation.ini_text is None else installation.ini)
    try:
        pooler.check_file()
        if changed and pooler.console and installation.ini_text is not None:
            done = replace(done, notes=(*done.notes, *_edited_since(installation, pooler)))
        return _Run(installation, order, wanted, pooler, reporter).put(new, done, changed)
    finally:
        pooler.close()


def _edited_since(installation: Installation, pooler: Pooler) -> Iterator[str]:
    """What people have changed in the file since it was read: our RELOAD takes that over, too."""
    edited = [m.name for m in compare(installation.ini, pooler.served(), (), ()) if not m.restart]
    if edited:
        yield f"somebody has edited the file since it was last read; that takes effect now: {', '.join(edited)}"


def reload_only(installation: Installation, order: Order, reporter: Reporter) -> Applied:
    """Have the files read again as they are, and compare what is served then."""
    if installation.ini_text is None:
        raise NovaopsError(
            f"there is no {installation.settings.ini}", hint=f"{command_line('alias apply')} writes it"
        )
    installation.check(())
    pooler = Pooler(installation.settings, installation.ini)
    try:
        pooler.check_file()
        if not pooler.running and installation.settings.reload != "systemctl":
            raise NovaopsError("pgbouncer does not run", detail=pooler.why_no_console, hint="start it")
        wanted = installation.wanted(order.inventory, order.aliases, order.secrets.own)
        texts = Texts(installation.ini_text, installation.userlist_text or "")
        return _Run(installation, order, wanted, pooler, reporter).put(texts, Applied(), changed=False)
    finally:
        pooler.close()


class _Run:
    """The steps that change something, and the way back."""

    def __init__(
        self, installation: Installation, order: Order, wanted: Wanted, pooler: Pooler, reporter: Reporter
    ) -> None:
        self.installation = installation
        self.order = order
        self.wanted = wanted
        self.pooler = pooler
        self.reporter = reporter
        ini, userlist = installation.ini_file, installation.auth_file
        self.owners = {ini: files.owner_of(ini) or files.fresh_owner(ini)}
        self.owners[userlist] = files.owner_of(userlist) or replace(self.owners[ini], mode=PRIVATE)
        self.names = [a.name for a in order.aliases]
        self.known = {
            ini: _bytes(installation.ini_text),
            userlist: _bytes(installation.userlist_text),
        }
        """What novaops has read from the files, or written to them."""
        self.mark = files.pending_mark(ini)

    def put(self, new: Texts, done: Applied, changed: bool) -> Applied:
        for path in self.owners:
            files.remove(files.unfinished(path))
            files.need_unedited(path, self.known[path])
        try:
            if changed:
                files.set_mark(self.mark)
                with self.reporter.phase("writing pgbouncer.ini and userlist.txt"):
                    done = replace(done, backups=self._write(new))
            if self.order.written is not None:
                self.order.written()
            done = self._make_served(done, changed)
            if self.order.prove is not None and self.pooler.running:
                self.order.prove()
        except BaseException as error:
            if changed:
                with _undisturbed():
                    self._take_back(error)
            raise
        files.remove(self.mark)
        return done

    def _write(self, new: Texts) -> tuple[str, ...]:
        old = self.installation
        pairs = (
            (old.ini_file, old.ini_text, new.ini),
            (old.auth_file, old.userlist_text, new.userlist),
        )
        backups = []
        for path, before, text in pairs:
            if before is not None and before != text:
                files.replace(files.backup_of(path), encode(before), self.owners[path])
                backups.append(str(files.backup_of(path)))
        self._in_order(new, old.own_users(), old.ini_text, old.userlist_text)
        return tuple(backups)

    def _in_order(
        self, new: Texts, leaving: Mapping[str, str], ini_text: str | None, userlist_text: str | None
    ) -> None:
        """Replace both so that every pair in between works; `leaving` are users of the files as they are."""
        ini, userlist = self.installation.ini_file, self.installation.auth_file
        coming = own_users(new.userlist, userlist)
        both = new.userlist
        if set(leaving) - set(coming):
            merged = replace(self.wanted, users={**leaving, **coming})
            both = render(merged, ini_text, userlist_text).userlist
        self._replace(userlist, both)
        self._replace(ini, new.ini)
        self._replace(userlist, new.userlist)

    def _replace(self, path: Path, text: str) -> None:
        data = encode(text)
        if self.known[path] != data:
            with self.reporter.phase(f"replacing {path}"):
                files.replace(path, data, self.owners[path], lambda: self._need_unedited(path))
            self.known[path] = data
        else:
            self._need_unedited(path)

    def _need_unedited(self, path: Path) -> None:
        files.need_unedited(path, self.known[path])

    def _make_served(self, done: Applied, changed: bool) -> Applied:
        """RELOAD where it is needed, and ask what is served then."""
        if not self.pooler.running and self.installation.settings.reload != "systemctl":
            note = "pgbouncer does not run: the aliases are served when it starts"
            return replace(done, notes=(*done.notes, note))
        users = [
            u for u in self.order.secrets.own if self.pooler.ini.setting("auth_type") not in ("any", "hba")
        ]
        cut_off = self.mark.exists() and not changed
        if not changed and not cut_off and not self.order.force_reload and self.pooler.console:
            with self.reporter.phase("asking pgbouncer what it serves"):
                done = replace(done, enabled=self._enable())
                found = self.pooler.mismatches(self.names, users)
            if all(m.restart or m.state for m in found):
                return self._compared(done, found)
        watch = LogWatch(self.pooler.ini)
        with self.reporter.phase("telling pgbouncer to read its files"):
            how = self.pooler.reload()
        done = replace(done, reloaded=how)
        if self.pooler.console is None:
            note = f"what pgbouncer serves could not be asked: {self.pooler.why_no_console}"
            done, found = replace(done, notes=(*done.notes, note)), []
        else:
            with self.reporter.phase("comparing what pgbouncer serves with what was written"):
                done = replace(done, enabled=(*done.enabled, *self._enable()))
                found = self.pooler.mismatches(self.names, users, patient=how != "RELOAD")
        told = watch.errors(patient=how != "RELOAD")
        wrong = [m for m in found if not (m.restart or m.state)]
        if wrong or told:
            # pgbouncer has read what somebody wrote meanwhile, not what novaops compares with.
            for path in self.known:
                self._need_unedited(path)
            raise NovaopsError(
                f"pgbouncer has not taken the files over, though {how} reported success",
                detail="\n".join([*_texts(wrong), *told]),
                hint="the log of pgbouncer says why; the files are as they were before, and it was told so",
            )
        return self._compared(done, found)

    def _compared(self, done: Applied, found: Sequence[Mismatch]) -> Applied:
        """With what is left to say: what takes a restart, and who does not take clients at the moment."""
        states = tuple(
            f"{text}, as somebody has ordered by the console"
            for text in _texts([m for m in found if m.state])
        )
        restarts = (*_texts([m for m in found if m.restart]), *self._locked_out())
        served = self._served() if self.pooler.console else None
        return replace(done, served=served, restarts=restarts, notes=(*done.notes, *states))

    def _locked_out(self) -> Iterator[str]:
        """Agents that pgbouncer lets in by auth_query only after a restart."""
        if self.pooler.console is None:
            return
        path = self.installation.auth_file
        userlist = read_userlist(path, decode(self.known[path] or b""))
        if users := remembered(self.order.inventory, self.pooler.served(), userlist):
            yield (
                f"{', '.join(users)} cannot log in until pgbouncer restarts: it remembers users that have left {path.name} "
                f"and does not run auth_query for them (systemctl restart {self.installation.settings.service})"
            )

    def _enable(self) -> tuple[str, ...]:
        """Take clients again by what is to take them: a removal that was cut off may have disabled it."""
        console = self.pooler.need_console()
        served = self.pooler.served().databases
        disabled = [name for name in self.order.enables if served.get(name, {}).get("disabled") == "1"]
        for name in disabled:
            console.command("ENABLE", name)
        return tuple(disabled)

    def _served(self) -> int:
        return len([n for n in self.pooler.served().databases if n in self.pooler.ini.databases()])

    def _take_back(self, error: BaseException) -> None:
        """Both files as they were, in an order that works, and the pooler told so; edits made meanwhile stay."""
        with self.reporter.phase("taking the files back"):
            old = self._put_back()
        if not self.pooler.running:
            files.remove(self.mark)
            return
        before = Pooler(old.settings, old.ini) if old.ini_text is not None else None
        try:
            if before is not None:
                before.reload()
                files.remove(self.mark)
                if before.console and (left := before.mismatches(old.own_names(), [])):
                    serious = [m for m in left if not (m.restart or m.state)]
                    if serious and isinstance(error, NovaopsError):
                        error.detail = (
                            f"{error.detail or ''}\nafter going back: {'; '.join(_texts(serious))}".strip()
                        )
        except NovaopsError as second:
            self.reporter.note(f"pgbouncer could not be told to read the old files: {second.message}")
        finally:
            if before is not None:
                before.close()

    def _put_back(self) -> Installation:
        """Restore both files; returns them as they are then."""
        old, written = self.installation, dict(self.known)
        tries = files.TRIES
        while True:
            tries -= 1
            for path in self.known:
                self.known[path] = files.read(path)
            ini = self._before(old.ini_file, old.ini_text, written)
            userlist = self._before(old.auth_file, old.userlist_text, written)
            try:
                self._in_order(Texts(ini or "", userlist or ""), self.order.secrets.own, ini, userlist)
            except EditedMeanwhile:
                if not tries:
                    raise
                continue
            for path, text in ((old.ini_file, ini), (old.auth_file, userlist)):
                if text is None and files.read(path) == self.known[path]:
                    files.remove(path)
            return replace(old, ini_text=ini, userlist_text=userlist)

    def _before(self, path: Path, old: str | None, written: Mapping[Path, bytes | None]) -> str | None:
        """The text of before; of a file edited meanwhile, only the parts that novaops writes."""
        now = self.known[path]
        if now is None or now in (written[path], _bytes(old)):
            return old
        edited = decode(now)
        if is_whole(edited) or old is None or outside(old) != outside(decode(written[path] or b"")):
            self.reporter.note(
                f"{path} was edited meanwhile, so it was not put back; {files.backup_of(path)} has the text of before"
            )
            return edited
        return with_own_parts_of(edited, old)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else encode(text)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Nobody interrupts the way back half-way. Only the main thread may say so (signal.signal)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _taken_over(installation: Installation, order: Order) -> Installation:
    if not order.take_over or installation.ini_text is None:
        return installation
    wanted = installation.wanted(order.inventory, (), {})
    text = without_entries(installation.ini_text, order.take_over, installation.settings.ini, wanted)
    return replace(installation, ini_text=text)


def _only_meant(installation: Installation, order: Order) -> None:
    """Nobody loses an alias by the way: removing one cuts its clients off."""
    going = [n for n in installation.own_names() if n not in {a.name for a in order.aliases}]
    unasked = [n for n in going if n not in order.removes]
    if unasked:
        raise NovaopsError(
            f"{', '.join(unasked)} would be removed: novaops.toml does not declare it",
            detail="removing an alias cuts its clients off, so that is done only when it is asked for",
            hint=f"{command_line('alias apply')} removes it, after waiting for its clients; or declare it again",
        )


def _texts(found: Collection[Mismatch]) -> tuple[str, ...]:
    return tuple(f"{m.name} {m.message}" for m in found)
