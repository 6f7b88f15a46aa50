"""Tries new files on a scratch pgbouncer before they take the place of the old ones."""

from __future__ import annotations

from novaops.errors import NovaopsError
from novaops.pgbouncer.grammar import read_ini
from novaops.pgbouncer.installation import Installation
from novaops.pgbouncer.render import Texts, Wanted, own_entries
from novaops.pgbouncer.scratch import try_out
from novaops.progress import Reporter


def validated(installation: Installation, new: Texts, wanted: Wanted, reporter: Reporter) -> str:
    """A scratch pgbouncer reads the texts, and says of every entry what novaops' own parser says."""
    ini = read_ini(
        installation.settings.ini, new.ini, wanted.version, installation.settings.working_directory
    )
    if installation.program is None:
        return "novaops' own parser; there is no pgbouncer on this machine"
    with reporter.phase("trying the files on a scratch pgbouncer"):
        scratch = try_out(installation.program, ini.expanded, new.userlist)
    served = {row["name"]: row for row in scratch.databases}
    wrong = [
        f"{name} leads to {row.get('host')}:{row.get('port')} {row.get('database')}"
        for name, entry in own_entries(new.ini, installation.settings.ini, wanted.version).items()
        if (row := served.get(name, {})).get("database") != entry.pairs.get("dbname")
        or row.get("host") != entry.pairs.get("host")
        or row.get("port") != entry.pairs.get("port")
    ]
    wrong += [f"the user {user} is not known" for user in wanted.users if user not in scratch.users]
    if wrong:
        raise NovaopsError(
            "a scratch pgbouncer reads the new files otherwise than they are meant",
            detail="\n".join(wrong),
            hint="nothing was changed; please report this as a defect of novaops",
        )
    return f"a scratch pgbouncer {scratch.version}"
