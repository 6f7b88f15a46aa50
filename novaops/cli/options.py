"""The options that commands share, and what they say about themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

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

UNDECLARED: Sequence[Option[Any]] = (
    click.option(
        "--undeclared",
        type=click.Choice(["ask", "keep", "drop"]),
        help="Ask before objects are dropped that novaops never applied and the files never declared, keep them, or "
        "drop them like others.",
    ),
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
        help="Numbered .sql files that run once, before the plan (*.post.sql, *.data.sql: after it). Default: pre-migrations.",
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
    *UNDECLARED,
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

EVENT_TRIGGERS: Sequence[Option[Any]] = (
    click.option(
        "--no-event-triggers",
        is_flag=True,
        help="Turn event triggers off for what is applied (PostgreSQL 17, superuser).",
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
    *CONSENT, *SAFE_ONLY, *EVENT_TRIGGERS, *CONNECTION, *DESIRED, *OUTPUT, *PARK, *QUIET
)  # fmt: skip


def options(*groups: Iterable[Option[Any]]) -> Callable[[F], F]:
    """Add groups of options to a command, shown in this order."""

    def decorate(function: F) -> F:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate
