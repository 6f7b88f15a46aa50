"""The options that commands of `novaops alias` share, and what is made of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from novaops.cli.options import Option
from novaops.errors import UsageError

if TYPE_CHECKING:
    from novaops.pgbouncer.drain import Drain

PASSWORD: Sequence[Option[Any]] = (
    click.option("--password-stdin", is_flag=True, help="Read the user's password from stdin, one line."),
    click.option(
        "--password-command", metavar="COMMAND", help="Take what COMMAND prints as the user's password."
    ),
)
DRAIN: Sequence[Option[Any]] = (
    click.option(
        "--drain",
        metavar="TIME",
        default="30s",
        show_default=True,
        help="How long to wait for connected clients.",
    ),
    click.option("--force", is_flag=True, help="Cut off the clients that stay."),
)
DRY_RUN: Sequence[Option[Any]] = (
    click.option("--dry-run", is_flag=True, help="Show and validate what would change; change nothing."),
)


def password_from(stdin: bool, command: str | None) -> str | None:
    """The password that the call gives; never by an argument, which everybody can see."""
    if stdin and command:
        raise UsageError("--password-stdin and --password-command are two passwords", hint="give one of them")
    if command:
        from novaops.config import Setting, run_password_command

        return run_password_command(Setting(command, "--password-command"))
    if not stdin:
        return None
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise UsageError("stdin gave no password", hint="printf '%s' \"$PASSWORD\" | the same command")
    return line


def drain_of(time: str, force: bool) -> Drain:
    """The patience that the flags ask for."""
    from novaops.durations import parse_duration
    from novaops.pgbouncer.drain import Drain

    try:
        return Drain(parse_duration(time).total_seconds(), force)
    except ValueError as error:
        raise UsageError(f"--drain: {error}", hint="a number with ms, s, min, h or d: 30s") from None
