"""One pgbouncer with its two files, as they are at this moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.pgbouncer import files
from novaops.pgbouncer.grammar import Ini, decode, read_ini
from novaops.pgbouncer.inventory import Alias, Inventory, Settings
from novaops.pgbouncer.render import Wanted, is_whole, own_entries, own_users
from novaops.pgbouncer.userlist import Userlist, read_userlist
from novaops.pgbouncer.version import OLDEST, Version, find_program, program_version


@dataclass(frozen=True)
class Installation:
    """The files are None where there are none. `version` is what they are read and written for.

    Each file is parsed once; without slots, as `cached_property` needs a `__dict__`.
    """

    settings: Settings
    program: Path | None
    version: Version
    ini_text: str | None
    userlist_text: str | None
    auth_file: Path

    def __repr__(self) -> str:
        return f"Installation({self.settings.ini})"

    @property
    def ini_file(self) -> Path:
        """The file itself, where `settings.ini` is a link."""
        return files.real(self.settings.ini)

    @cached_property
    def ini(self) -> Ini:
        return read_ini(self.settings.ini, self.ini_text or "", self.version, self.settings.working_directory)

    @cached_property
    def userlist(self) -> Userlist:
        return read_userlist(self.auth_file, self.userlist_text or "")

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """The secret of each user of userlist.txt."""
        return self.userlist.secrets()

    @property
    def auth_type(self) -> str:
        if self.ini_text is None:
            return self.settings.settings.get("auth_type", "scram-sha-256")
        return self.ini.setting("auth_type", "md5")

    def own_names(self) -> list[str]:
        """The aliases that novaops has written."""
        if self.ini_text is None:
            return []
        return list(own_entries(self.ini_text, self.settings.ini, self.version))

    def own_users(self) -> dict[str, str]:
        return own_users(self.userlist_text, self.auth_file) if self.userlist_text is not None else {}

    def wanted(self, inventory: Inventory, aliases: Collection[Alias], users: Mapping[str, str]) -> Wanted:
        return Wanted(
            inventory.settings, self.version, tuple(aliases), dict(users), self.auth_file,
            inventory.path.absolute().parent,
        )  # fmt: skip

    def check(self, aliases: Collection[Alias]) -> None:
        """Refuse files that pgbouncer does not read to their end, and names that people have taken."""
        if self.ini_text is not None and (errors := self.ini.errors):
            raise DiagnosticsError(errors, done="novaops adds nothing to a file that pgbouncer cannot read")
        if problems := self.userlist.problems:
            raise DiagnosticsError(problems, done="what novaops adds behind that line would not be read")
        if self.ini_text is None or is_whole(self.ini_text):
            return
        own = self.own_names()
        for alias in aliases:
            theirs = [
                e for e in self.ini.entries
                if e.section == "databases" and e.key == alias.name
            ]  # fmt: skip
            if len(theirs) > (alias.name in own):
                here = theirs[0].source.file == str(self.settings.ini)
                raise NovaopsError(
                    f"{alias.name} is already an entry of {theirs[0].source}, written by hand",
                    detail="novaops changes nothing that it has not written",
                    hint=f"{command_line('alias add', '--alias', alias.name, '--take-over', arguments=[alias.user])} replaces that line; or remove it yourself, or choose another name"
                    if here
                    else "remove it there, in the file that is included, or choose another name",
                )


def read_installation(settings: Settings) -> Installation:
    """Read both files; raises `NovaopsError` where they may not be read."""
    ini_path = files.real(settings.ini)
    program = find_program(settings.program)
    version = settings.version or (program_version(program) if program else OLDEST)
    ini_text = _read(ini_path)
    auth_file = settings.userlist
    if auth_file is None:
        said = ""
        if ini_text is not None:
            said = read_ini(ini_path, ini_text, version, settings.working_directory).setting("auth_file")
        auth_file = settings.working_directory / said if said else ini_path.with_name("userlist.txt")
    auth_file = files.real(auth_file)
    return Installation(settings, program, version, ini_text, _read(auth_file), auth_file)


def _read(path: Path) -> str | None:
    try:
        data = files.read(path)
    except PermissionError:
        raise NovaopsError(
            f"{path} may not be read", hint="run novaops as root, or as the user that owns the file"
        ) from None
    return None if data is None else decode(data)
