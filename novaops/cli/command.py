"""Commands that are loaded when they are called, and that turn every exception into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from novaops.invocation import repeating

INTERRUPTED = 130
BROKEN_PIPE = 141
"""128 + SIGPIPE, what a shell reports for a program that nobody reads from any more."""

UNDONE = {"plan": "nothing was planned", "apply": "nothing was applied", "diff": "nothing was compared"}


class Command(click.Command):
    """A command whose callback returns its exit code."""

    def invoke(self, ctx: click.Context) -> int:
        from novaops.cli.repeated import repeated

        with repeating(repeated(ctx)):
            ctx.exit(self._exit_code(ctx))

    def _exit_code(self, ctx: click.Context) -> int:
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except (KeyboardInterrupt, click.Abort) as error:
            from novaops.output.errors import interruption

            click.echo(interruption(error, UNDONE.get(self.name or "")), err=True)
            code = INTERRUPTED
        except BrokenPipeError:
            _discard(sys.stdout)
            code = BROKEN_PIPE
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            from novaops.output.errors import show_error

            as_json = ctx.params.get("output_format") == "json"
            code = show_error(error, as_json, UNDONE.get(self.name or "", "nothing was done"))
        return int(code or 0)


class LazyGroup(click.Group):
    """A group whose commands are modules of `package`, each with a `command`; `default` is the one not named."""

    def __init__(
        self, *args: Any, package: str, commands: Sequence[str], default: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._names = tuple(commands)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        unnamed = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        if self.default is not None and unnamed:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._names:
            return None
        command = import_module(f"{self._package}.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command


def _discard(stream: Any) -> None:
    """Let the interpreter flush into nothing when it ends (Python documentation, signal, "Note on SIGPIPE")."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
