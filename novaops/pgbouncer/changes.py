"""What new files say otherwise than the present ones, line by line; secrets are masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from novaops.pgbouncer.grammar import read_ini
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.render import Texts, own_users
from novaops.pgbouncer.scram import masked
from novaops.pgbouncer.secrets import Secrets


@dataclass(frozen=True, slots=True)
class FileChange:
    """A line that is added, changed or removed; secrets are masked."""

    file: str
    operation: str
    """`+`, `~` or `-`."""
    name: str
    text: str


def ini_changes(installation: Installation, new: Texts) -> Sequence[FileChange]:
    """The entries of [databases] and auth_query that differ; passwords of lines written by hand are masked."""
    old = installation.ini
    path, directory = installation.settings.ini, installation.settings.working_directory
    after = read_ini(path, new.ini, installation.version, directory)
    found = []
    before, now = old.databases(), after.databases()
    for name in dict.fromkeys([*before, *now]):
        if name in before and name in now and before[name].value == now[name].value:
            continue
        operation = "+" if name not in before else "-" if name not in now else "~"
        entry = now.get(name) or before[name]
        text = (
            f"{entry.key} = {entry.value}"
            if "password" not in entry.pairs
            else f"{entry.key} = (with a password)"
        )
        found.append(FileChange(str(path), operation, name, text))
    if old.setting("auth_query") != after.setting("auth_query"):
        operation = "+" if not old.setting("auth_query") else "~" if after.setting("auth_query") else "-"
        shown = after.setting("auth_query") or old.setting("auth_query")
        found.append(FileChange(str(path), operation, "auth_query", f"auth_query = {shown}"))
    return found


def user_changes(installation: Installation, new: Texts, secrets: Secrets) -> Sequence[FileChange]:
    """The users that differ, with the kind of their secrets."""
    path = installation.auth_file
    before, after = installation.own_users(), own_users(new.userlist, path)
    found = []
    for user in dict.fromkeys([*before, *after]):
        if before.get(user) == after.get(user):
            continue
        operation = "+" if user not in before else "-" if user not in after else "~"
        secret = masked(after.get(user) or before[user])
        origin = f" ({secrets.origins[user]})" if user in after and user in secrets.origins else ""
        found.append(FileChange(str(path), operation, user, f'"{user}" {secret}{origin}'))
    return found
