"""The options of a call that the command lines under "next" and in hints repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import click
from click.core import ParameterSource

from novaops.invocation import GivenOption, Repeat

NOT_REPEATED = frozenset(
    [
        "output_format", "quiet", "out", "output", "split", "with_secrets",  # where the output goes
        "check", "only_check", "probe", "dry_run", "rehearse", "rollback", "watch", "expire", "repairing",
        "fail_on_unmanaged", "yes",  # what to do; the writer of a line says it
        "password_stdin", "password_command", "write_password",  # secrets, and what prints them
    ]
)  # fmt: skip
"""Options of one call only. Every other option says what the call is about, and the next one needs it as well."""

ANSWERED_BY_A_PLAN = frozenset(
    ["file", "renames", "missing_roles", "check_functions", "safe_below", "park", "safe_only"]
)
"""Options that say how a plan is made: `apply PLANFILE` has no use for them."""

CONNECTION_STRINGS = frozenset(["url", "shadow", "server"])
PASSWORD = re.compile(r"(?<!\S)(?:ssl)?password\s*=\s*(?:'(?:\\.|[^'\\])*'|\S*)\s*")


def repeated(ctx: click.Context) -> Repeat:
    """Return what repeats the options of this call, for `novaops.invocation.repeating`."""

    def repeat(command: str, arguments: Sequence[str]) -> list[GivenOption]:
        target = find(ctx.find_root().command, command.split())
        planfile = arguments and any(p.name == "planfile" for p in target.params)
        known = {_identity(parameter) for parameter in target.params}
        left_out = NOT_REPEATED | (ANSWERED_BY_A_PLAN if planfile else frozenset())
        return [
            given
            for option in ctx.command.params
            if isinstance(option, click.Option) and _identity(option) in known and option.name not in left_out
            for given in _given(ctx, option)
        ]

    return repeat


def find(group: click.Command, words: Sequence[str]) -> click.Command:
    """Return the command that these words name; that of `replicate` alone is its default one."""
    from novaops.cli.command import LazyGroup

    command = group
    for word in words:
        assert isinstance(command, click.Group)  # noqa: S101
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"there is no command {' '.join(words)}"  # noqa: S101
        command = found
    if isinstance(command, LazyGroup) and command.default is not None:
        return find(command, [command.default])
    return command


def _identity(parameter: click.Parameter) -> tuple[Any, ...]:
    """What makes the options of two commands one: `--from` is a database here and a table there."""
    return (*parameter.opts, getattr(parameter, "help", None))


def _given(ctx: click.Context, option: click.Option) -> Iterator[GivenOption]:
    """The option with each of its values; nothing for one that was not on the command line."""
    name = option.name or ""
    if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
        return
    value = ctx.params[name]
    spelling = option.opts[0]
    if option.is_flag:
        yield GivenOption(tuple(option.opts), (spelling,))
        return
    for one in value if isinstance(value, tuple) else (value,):
        text = without_password(str(one)) if name in CONNECTION_STRINGS else str(one)
        words = (f"{spelling}={text}",) if text.startswith("-") else (spelling, text)
        yield GivenOption(tuple(option.opts), words)


def without_password(text: str) -> str:
    """A connection string without its passwords, be it a URL or keywords and values. libpq takes URLs that urllib refuses."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return PASSWORD.sub("", text)
    authority, slash, tail = rest.partition("/")
    login, at, place = authority.rpartition("@")
    path, question, query = tail.partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith(("password=", "sslpassword=")))
    return f"{scheme}://{login.partition(':')[0]}{at}{place}{slash}{path}{question if kept else ''}{kept}"
