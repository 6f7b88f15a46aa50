"""The text of pgbouncer.ini and userlist.txt, whole or only novaops' own part of it.

What comes out of the templates, which a project may replace, is read again and compared with what was to
be written: a template cannot let a name through unescaped.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.pgbouncer.grammar import Entry, Ini, read_ini
from novaops.pgbouncer.inventory import Alias, Settings
from novaops.pgbouncer.names import quote_key, quote_user, quote_value
from novaops.pgbouncer.userlist import Userlist, read_userlist
from novaops.pgbouncer.version import Version

TEMPLATES = Path(__file__).with_name("templates")
HEAD = "; Written whole by novaops from novaops.toml; edits here are lost."
LINE = "this line break is novaops' own, "
"""Said where novaops had to end the last line of somebody's file: what it takes back later."""
BLOCK = re.compile(
    r"(?P<all>^; novaops begin (?P<part>[a-z_]+): (?P<line>this line break is novaops' own, )?[^\n]*\n"
    r"(?P<text>.*?)^; novaops end (?P=part)(?:\n|\Z))",
    re.MULTILINE | re.DOTALL,
)
BEGIN = re.compile(r"^; novaops (?:begin|end) ", re.MULTILINE)
AUTH_QUERY = "SELECT usename, passwd FROM novaops.pgbouncer_auth($1)"
WHOLE_SETTINGS: Mapping[str, str] = {
    "listen_addr": "127.0.0.1",
    "listen_port": "6432",
    "unix_socket_dir": "/var/run/postgresql",
    "auth_type": "scram-sha-256",
    "pool_mode": "session",
    "max_client_conn": "100",
    "logfile": "/var/log/postgresql/pgbouncer.log",
    "pidfile": "/var/run/postgresql/pgbouncer.pid",
    # psycopg, JDBC and others set it when they connect.
    "ignore_startup_parameters": "extra_float_digits",
}
"""The section [pgbouncer] of a file that is written whole, where [pgbouncer.settings] says nothing else."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Both files. Neither shows in a representation: they hold secrets."""

    ini: str
    userlist: str

    def __repr__(self) -> str:
        return f"Texts({len(self.ini)}, {len(self.userlist)})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the files are to say."""

    settings: Settings
    version: Version
    aliases: tuple[Alias, ...]
    users: Mapping[str, str]
    """Secrets that novaops writes, by user."""
    auth_file: Path
    project: Path
    """The folder of novaops.toml, whose `templates` come before the packaged ones."""


def is_whole(text: str | None) -> bool:
    """Whether novaops writes the file whole: where there is none, or it has written the present one."""
    return text is None or text.startswith(HEAD)


def render(wanted: Wanted, ini: str | None, userlist: str | None) -> Texts:
    """The new texts for present ones; None where there is no such file."""
    pairs = {alias.name: pairs_of(alias, wanted) for alias in wanted.aliases}
    values = {
        "head": HEAD,
        "aliases": [{"name": name, "pairs": p} for name, p in pairs.items()],
        "users": dict(wanted.users),
        "settings": _settings(wanted),
    }
    if is_whole(ini):
        new_ini = template("pgbouncer.ini", values, wanted)
    else:
        new_ini = _own_aliases(ini or "", template("aliases.ini", values, wanted) if pairs else "", wanted)
        new_ini = _own_auth_query(new_ini, wanted)
    if is_whole(userlist):
        new_userlist = template("userlist.txt", values, wanted)
    else:
        new_userlist = _own_users(
            userlist or "", template("users.txt", values, wanted) if wanted.users else "", wanted.auth_file
        )
    texts = Texts(new_ini, new_userlist)
    _proven(texts, wanted, pairs)
    return texts


def pairs_of(alias: Alias, wanted: Wanted) -> dict[str, str]:
    """The connection string of the alias, in order."""
    pairs = {"host": alias.target.host, "port": str(alias.target.port), "dbname": alias.target.database}
    if wanted.settings.auth == "auth_query":
        pairs["auth_user"] = wanted.settings.auth_user
    return {**pairs, "pool_mode": alias.pool_mode, "pool_size": str(alias.pool_size)}


def template(name: str, values: Mapping[str, Any], wanted: Wanted) -> str:
    """A template filled in: the project's own of that name, or the packaged one."""
    import jinja2

    folders = [jinja2.FileSystemLoader(folder) for folder in (wanted.project / "templates", TEMPLATES)]
    environment = jinja2.Environment(  # noqa: S701 - nothing of this is HTML
        loader=jinja2.ChoiceLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "key": lambda text: quote_key(text, wanted.version),
        "value": quote_value,
        "user": quote_user,
        "shell": shlex.quote,
        "unit": _unit_word,
    }
    try:
        text: str = environment.get_template(name).render(values)
    except jinja2.TemplateError as error:
        line = f":{error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        raise NovaopsError(
            f"the template {name}{line} cannot be rendered",
            detail=f"{type(error).__name__}: {error}",
            hint=f"correct {wanted.project / 'templates' / name}",
        ) from None
    return text


def _unit_word(text: str) -> str:
    """A word of a command line in a systemd unit (systemd.service(5), "Command lines"; % and $ are doubled)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w./:@+-]+", escaped) else f'"{escaped}"'


def own_block(text: str, part: str) -> re.Match[str] | None:
    """The part of a file that novaops writes."""
    return next((m for m in BLOCK.finditer(text) if m["part"] == part), None)


def outside(text: str) -> str:
    """The text without novaops' own parts: what a person wrote, byte for byte."""
    for part in ("aliases", "auth_query", "users"):
        if found := own_block(text, part):
            text = text[: found.start() - bool(found["line"])] + text[found.end() :]
    return text


def with_own_parts_of(text: str, old: str) -> str:
    """The text with novaops' own parts as they are in `old`; everything outside them stays."""
    for part in ("aliases", "auth_query", "users"):
        if own_block(text, part):
            before = own_block(old, part)
            text = _replaced(text, part, before["text"].removeprefix("[databases]\n") if before else "")
    return text


def own_entries(text: str, path: Path, version: Version) -> dict[str, Entry]:
    """The aliases in novaops' own part, or in a whole file of its own."""
    body = text
    if not is_whole(text):
        found = own_block(text, "aliases")
        body = f"[databases]\n{found['text']}" if found else ""
    return read_ini(path, body, version).databases()


def own_users(text: str, path: Path) -> dict[str, str]:
    """The users in novaops' own part of userlist.txt, with their secrets."""
    if is_whole(text):
        return read_userlist(path, text).secrets()
    found = own_block(text, "users")
    return read_userlist(path, found["text"]).secrets() if found else {}


def without_entries(text: str, names: Collection[str], path: Path, wanted: Wanted) -> str:
    """The text without the lines of these entries of [databases] that stand outside novaops' own part."""
    own = own_entries(text, path, wanted.version).values()
    kept = {e.text for e in own}
    lines = text.split("\n")
    ini = read_ini(path, text, wanted.version, wanted.settings.working_directory)
    for entry in reversed(ini.entries):
        here = entry.source.file == str(path) and entry.text not in kept
        if (
            here
            and entry.section == "databases"
            and entry.key in names
            and not entry.text.lstrip().startswith("[")
        ):
            del lines[entry.source.line - 1]
    return "\n".join(lines)


# -- the own part ---------------------------------------------------------------------------


def _own_aliases(text: str, lines: str, wanted: Wanted) -> str:
    """The aliases come last in the first section [databases], before an include, which may end it."""
    _whole_blocks(text, wanted.settings.ini)
    if own_block(text, "aliases"):
        return _replaced(text, "aliases", lines)
    marks = read_ini(wanted.settings.ini, text, wanted.version, wanted.settings.working_directory).marks
    at, header = len(text), "[databases]\n"
    for index, mark in enumerate(marks):
        if mark.kind == "header" and mark.section == "databases":
            header, last = "", mark
            for following in marks[index + 1 :]:
                if following.kind != "pair":
                    break
                last = following
            at = last.end + 1
            break
    return _inserted(text, min(at, len(text)), "aliases", header + lines if lines else "")


def _own_auth_query(text: str, wanted: Wanted) -> str:
    """`auth_query` is a setting of [pgbouncer]: of single aliases only since 1.22."""
    line = f"auth_query = {AUTH_QUERY}\n" if wanted.settings.auth == "auth_query" and wanted.aliases else ""
    if own_block(text, "auth_query"):
        return _replaced(text, "auth_query", line)
    ini = read_ini(wanted.settings.ini, text, wanted.version, wanted.settings.working_directory)
    if not line or ini.setting("auth_query") == AUTH_QUERY:
        return text
    if theirs := ini.setting("auth_query"):
        raise NovaopsError(
            f"{wanted.settings.ini} has an auth_query of its own",
            detail=f"auth_query = {theirs}",
            hint=f"remove it, or write there: auth_query = {AUTH_QUERY}",
        )
    ends = [m.end + 1 for m in ini.marks if m.section == "pgbouncer" and m.kind != "include"]
    if not ends:
        raise NovaopsError(f"{wanted.settings.ini} has no section [pgbouncer]", hint="add one")
    return _inserted(text, min(ends[-1], len(text)), "auth_query", line)


def _own_users(text: str, lines: str, path: Path) -> str:
    """The users come last: of two equal names pgbouncer takes the later one."""
    _whole_blocks(text, path)
    if own_block(text, "users"):
        return _replaced(text, "users", lines)
    return _inserted(text, len(text), "users", lines)


def _whole_blocks(text: str, path: Path) -> None:
    """Refuse a file in which somebody has removed one of the two lines around an own part."""
    if len(BEGIN.findall(text)) != 2 * len(BLOCK.findall(text)):
        raise NovaopsError(
            f"{path}: the lines '; novaops begin' and '; novaops end' do not match",
            detail="novaops writes between the two, and does not guess where its part ends",
            hint="remove the one that is left, and the aliases of novaops with it; "
            f"{command_line('alias apply')} writes them anew",
        )


def _replaced(text: str, part: str, lines: str) -> str:
    found = own_block(text, part)
    assert found is not None  # noqa: S101
    if not lines:
        return text[: found.start() - bool(found["line"])] + text[found.end() :]
    # A header that the part has of its own stays.
    header = "[databases]\n" if found["text"].startswith("[databases]\n") else ""
    return text[: found.start("text")] + header + lines + text[found.end("text") :]


def _inserted(text: str, at: int, part: str, lines: str) -> str:
    if not lines:
        return text
    unended = bool(text[:at]) and not text[:at].endswith("\n")
    begin = f"; novaops begin {part}: {LINE if unended else ''}novaops alias writes what follows"
    line_break = "\n" if unended else ""
    return f"{text[:at]}{line_break}{begin}\n{lines}; novaops end {part}\n{text[at:]}"


# -- whole files ------------------------------------------------------------------------------


def _settings(wanted: Wanted) -> dict[str, str]:
    settings = {**WHOLE_SETTINGS, "auth_file": str(wanted.auth_file), **wanted.settings.settings}
    if wanted.settings.auth == "auth_query":
        settings["auth_query"] = AUTH_QUERY
    for name, value in settings.items():
        if not re.fullmatch(r"[a-z_0-9]+", name) or "\n" in value or value != value.strip():
            raise NovaopsError(
                f"{name} = {value!r} cannot be a setting of pgbouncer", hint="correct [pgbouncer.settings]"
            )
    return settings


# -- proof ------------------------------------------------------------------------------------


def _proven(texts: Texts, wanted: Wanted, pairs: Mapping[str, Mapping[str, str]]) -> None:
    """Read the texts and compare them with what was to be written."""
    path = wanted.settings.ini
    ini = read_ini(path, texts.ini, wanted.version, wanted.settings.working_directory)
    if ini.errors:
        raise DiagnosticsError(ini.errors)
    own = {k: dict(e.pairs) for k, e in own_entries(texts.ini, path, wanted.version).items()}
    effective = ini.databases()
    if own != {k: dict(p) for k, p in pairs.items()} or any(
        dict(effective[name].pairs) != dict(p) for name, p in pairs.items()
    ):
        raise _unfaithful("pgbouncer.ini", ini, pairs)
    users = read_userlist(wanted.auth_file, texts.userlist)
    if users.problems:
        raise DiagnosticsError(users.problems)
    secrets = users.secrets()
    if any(secrets.get(user) != secret for user, secret in wanted.users.items()):
        raise _unfaithful("userlist.txt", users, ())


def _unfaithful(name: str, found: Ini | Userlist, names: Sequence[str] | Mapping[str, Any]) -> NovaopsError:
    overridden = [e for e in found.databases().values() if e.key in names] if isinstance(found, Ini) else []
    where = ", ".join(f"{e.key} ({e.source})" for e in overridden)
    return NovaopsError(
        f"{name} as rendered does not say what novaops.toml declares",
        detail=f"it was read back with novaops' own parser{f'; there is {where}' if where else ''}",
        hint="an entry of the same name stands behind novaops' own part, or a template of the project lets "
        "something through unescaped; nothing was written",
    )
