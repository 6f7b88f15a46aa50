"""`novaops alias render`: the files for a folder, without a server and without a pgbouncer."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from novaops.pgbouncer import files
from novaops.pgbouncer.files import Owner
from novaops.pgbouncer.grammar import decode, encode
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.inventory import Inventory
from novaops.pgbouncer.render import Texts, render, template
from novaops.pgbouncer.version import OLDEST, find_program, program_version

PASSWORD = re.compile(r"\bpassword *= *(?:'(?:[^'\n]|'')*'|[^\s']\S*)")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was rendered; `ini` is to be shown, with the passwords of lines written by hand masked.

    `lacking` are users whose secrets are not in userlist.txt.
    """

    ini: str
    written: tuple[str, ...]
    lacking: tuple[str, ...]


def render_files(
    inventory: Inventory,
    users: Mapping[str, str],
    lacking: Sequence[str],
    output: Path | None,
    *,
    whole: bool,
) -> Rendered:
    """Render for `output` (files there keep what a person wrote), or only the text of pgbouncer.ini."""
    settings = inventory.settings
    program = find_program(settings.program)
    version = settings.version or (program_version(program) if program else OLDEST)
    auth_file = settings.userlist or settings.ini.with_name("userlist.txt")
    folder = output or settings.ini.parent
    present = [None if whole else _text(folder / name) for name in (settings.ini.name, auth_file.name)]
    if output is not None:
        # Includes of a file that lies elsewhere are found beside it.
        settings = replace(settings, working_directory=output)
    installation = Installation(settings, program, version, present[0], present[1], auth_file)
    installation.check(inventory.aliases)
    # Secrets that an earlier run has read stay.
    users = {**{u: s for u, s in installation.own_users().items() if u in lacking}, **users}
    lacking = [user for user in lacking if user not in users]
    wanted = installation.wanted(replace(inventory, settings=settings), inventory.aliases, users)
    texts = render(wanted, present[0], present[1])
    if output is None:
        return Rendered(_masked(texts.ini), (), tuple(lacking))
    values = {
        "account": files.ACCOUNT,
        "program": str(program or "/usr/sbin/pgbouncer"),
        "ini": str(inventory.settings.ini),
        "project": str(inventory.path.absolute().parent),
    }
    output.mkdir(parents=True, exist_ok=True)
    names = _named(texts, settings.ini.name, auth_file.name) | {
        name: (template(name, values, wanted), mode) for name, mode in EXTRA.items()
    }
    for name, (text, mode) in names.items():
        path = files.real(output / name)
        owner = files.owner_of(path, private=mode == files.PRIVATE) or Owner(os.geteuid(), os.getegid(), mode)
        files.replace(path, encode(text), owner)
    return Rendered(_masked(texts.ini), tuple(str(output / name) for name in names), tuple(lacking))


EXTRA: Mapping[str, int] = {"pgbouncer.service": 0o644, "reload.sh": 0o755}
"""What is rendered beside the two files, with its mode."""


def _named(texts: Texts, ini: str, userlist: str) -> dict[str, tuple[str, int]]:
    return {ini: (texts.ini, files.PRIVATE), userlist: (texts.userlist, files.PRIVATE)}


def _masked(text: str) -> str:
    return PASSWORD.sub("password=********", text)


def _text(path: Path) -> str | None:
    data = files.read(path)
    return None if data is None else decode(data)
