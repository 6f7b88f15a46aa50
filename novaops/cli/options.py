"""The options that commands share, and what they say about themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[F], F]


class FormatOption(click.Option):
    """`--format`, which `--json` is a short form of."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        parser.add_option(obj=self, opts=["--json"], dest=self.name, action="store_const", const="json")


def formats(first: str, *others: str) -> Option[Any]:
    """How stdout shows what comes of a command; `json` is one of them, `first` the default."""
    return click.option(
        "--format",
        "output_format",
        cls=FormatOption,
        type=click.Choice([first, *others]),
        default=first,
        show_default=True,
        help="How stdout shows it; --json is short for --format json.",
    )


CONNECTION: Sequence[Option[Any]] = (
    click.option("--url", metavar="URL", help="Connect to postgresql://user@host:port/database."),
    click.option("--host", metavar="HOST", help="Server, or the directory of its socket."),
    click.option("--port", metavar="PORT", type=click.IntRange(1, 65535), help="Port of the server."),
    click.option("--database", "--db", "-d", metavar="NAME", help="Database to look at and to change."),
    click.option(
        "--user", metavar="ROLE", help="Role to connect as; the password comes from PGPASSWORD or .pgpass."
    ),
    click.option("--embedded", is_flag=True, default=None, help="Start and use the embedded server."),
)

SCOPE: Sequence[Option[Any]] = (
    click.option(
        "--schema",
        "schemas",
        metavar="SCHEMA",
        multiple=True,
        help="Manage this schema; repeatable. Default: public and those the files create.",
    ),
    click.option(
        "--scope",
        type=click.Choice(["schemas", "database"]),
        help="Manage the schemas, or the whole database with extensions, publications, casts …",
    ),
    click.option(
        "--privileges",
        type=click.Choice(["auto", "managed", "additive", "ignore"]),
        help="Compare grants where the files give any (auto), everywhere, without ever revoking, or not at all.",
    ),
    click.option("--owners", type=click.Choice(["ignore", "managed"]), help="Whether owners are compared."),
)

BUILD: Sequence[Option[Any]] = (
    click.option(
        "--missing-roles",
        type=click.Choice(["error", "skip", "create"]),
        help="What to do about roles that the files name and the server lacks.",
    ),
    click.option(
        "--check-functions",
        type=click.Choice(["auto", "strict", "off"]),
        help="Whether a broken body of a function is an error where CREATE FUNCTION would refuse it or the schema "
        "contradicts it (auto), wherever a defect is found, or never looked for.",
    ),
    click.option(
        "--shadow",
        metavar="server|embedded|URL",
        help="Where the files are executed to be read back: in a throwaway database of the target's server, "
        "of the embedded one, or in an empty database.",
    ),
)

PRE_MIGRATIONS: Sequence[Option[Any]] = (
    click.option(
        "--pre-migrations",
        metavar="DIR",
        help="Numbered .sql files that run once, before the plan (*.post.sql: after it). Default: pre-migrations.",
    ),
)

HAZARDS: Sequence[Option[Any]] = (
    click.option(
        "--safe-below",
        metavar="SIZE",
        help="Tables with fewer bytes of rows may be locked, read or written anew unasked. Default: 64 kB.",
    ),
)

DESIRED: Sequence[Option[Any]] = (
    click.option(
        "--file",
        metavar="PATH",
        help="The declared schema: a .sql file, or a folder of them. Default: schema/schema.sql.",
    ),
    click.option(
        "--renames",
        metavar="FILE",
        help="Renames beside those that comments declare. Default: renames.json beside the files.",
    ),
    *PRE_MIGRATIONS,
    *SCOPE,
    *BUILD,
    *HAZARDS,
)

FORMAT: Sequence[Option[Any]] = (formats("text", "json", "sql", "markdown"),)

OUTPUT: Sequence[Option[Any]] = (
    *FORMAT,
    click.option(
        "--out",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Also write the plan as JSON, for apply FILE.",
    ),
    click.option(
        "--check",
        is_flag=True,
        help="Exit 3 when there are changes, 4 when a hazard is in the way; change nothing.",
    ),
    click.option(
        "--fail-on-unmanaged",
        is_flag=True,
        help="Exit 1 when the database has objects novaops does not know.",
    ),
)

QUIET: Sequence[Option[Any]] = (
    click.option("--quiet", "-q", is_flag=True, help="Say nothing about progress on stderr."),
)


def checked_duration(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    from novaops.durations import parse_duration

    if value is not None:
        try:
            parse_duration(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}: write it like 30d or 12h", ctx, parameter) from None
    return value


PARK: Sequence[Option[Any]] = (
    click.option(
        "--park",
        metavar="TIME",
        is_flag=False,
        flag_value="30d",
        callback=checked_duration,
        help="Put dropped tables aside, with their rows, instead; for 30d when no TIME is given. See unpark.",
    ),
)

TEXT_OR_JSON: Sequence[Option[Any]] = (formats("text", "json"),)

SAFE_ONLY: Sequence[Option[Any]] = (
    click.option(
        "--safe-only",
        is_flag=True,
        help="Leave out what needs consent, and what depends on it.",
    ),
)

ALLOW: Sequence[Option[Any]] = (
    click.option(
        "--allow",
        metavar="HAZARD[:OBJECT]",
        multiple=True,
        help="Consent to a hazard, by name or code; repeatable. novaops explain lists them.",
    ),
    click.option(
        "--reason", metavar="TEXT", default="", help="Why what --allow names is allowed; kept in the plan."
    ),
)

YES: Sequence[Option[Any]] = (
    click.option("--yes", "-y", is_flag=True, help="Do not ask; hazards still need --allow."),
)

LOCKS: Sequence[Option[Any]] = (
    click.option(
        "--lock-timeout",
        metavar="TIME",
        help="How long one attempt at a transaction may wait for locks, and keep others waiting. Default: 3s.",
    ),
    click.option(
        "--lock-wait", metavar="TIME", help="How long to wait for another novaops to finish. Default: 0s."
    ),
)

CONSENT: Sequence[Option[Any]] = (
    *ALLOW,
    *YES,
    click.option("--no-rehearse", is_flag=True, help="Skip the rehearsal on a throwaway copy of the schema."),
    click.option(
        "--no-journal",
        "journal",
        flag_value="off",
        help="Record nothing in the schema novaops of the database; a run that is cut off is not resumed.",
    ),
    *LOCKS,
)

APPLY: Sequence[Option[Any]] = (
    *CONSENT, *SAFE_ONLY, *CONNECTION, *DESIRED, *OUTPUT, *PARK, *QUIET
)  # fmt: skip

CARRIED = frozenset(
    [
        "planfile",
        "url",
        "host",
        "port",
        "database",
        "user",
        "embedded",
        "allow",
        "reason",
        "journal",
        "no_event_triggers",
        "pre_migrations",
    ]
)
"""Parameters that the command under "next" repeats."""
CARRIED_WITHOUT_PLANFILE = CARRIED | {
    "file", "renames", "schemas", "scope", "privileges", "owners", "missing_roles", "check_functions",
    "shadow", "park", "safe_below", "safe_only",
}  # fmt: skip


NOT_RESUMED = frozenset(
    [
        "safe_only",
        "output_format",
        "out",
        "check",
        "quiet",
        "fail_on_unmanaged",
        "rehearse",
        "rollback",
        "timings",
    ]
)


def options(*groups: Iterable[Option[Any]]) -> Callable[[F], F]:
    """Add groups of options to a command, shown in this order."""

    def decorate(function: F) -> F:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate


def apply_command(ctx: click.Context, out: Path | None = None) -> list[str]:
    """The words that apply what this call has planned, and saved as `out`; passwords stay out of it."""
    names = CARRIED if out or ctx.params.get("planfile") else CARRIED_WITHOUT_PLANFILE
    return ["novaops", "apply", *([str(out)] if out else []), *carried(ctx, names)]


def resume_command(ctx: click.Context) -> list[str]:
    """The words of an apply that finishes what this one has begun: all of its options but those of the output.

    `--safe-only` is not among them: what is dropped already comes back whatever it takes.
    """
    names = {parameter.name or "" for parameter in ctx.command.params} - NOT_RESUMED
    return ["novaops", "apply", *carried(ctx, names)]


def carried(ctx: click.Context, names: Collection[str]) -> list[str]:
    """The words of this call that give the parameters of these names, without passwords."""
    words: list[str] = []
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if name not in names or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        if isinstance(parameter, click.Argument):
            words.append(str(value))
        elif getattr(parameter, "is_flag", False):
            words.append(parameter.opts[0])
        else:
            for each in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], without_password(str(each))]
    return words


def without_password(text: str) -> str:
    """A URL without its password; any other text as it is. libpq takes URLs that urllib refuses."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    authority, slash, tail = rest.partition("/")
    login, at, place = authority.rpartition("@")
    path, question, query = tail.partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith("password="))
    return f"{scheme}://{login.partition(':')[0]}{at}{place}{slash}{path}{question if kept else ''}{kept}"
