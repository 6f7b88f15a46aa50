"""`novaops completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from novaops.cli.command import Command

EPILOG = """\b
Examples:
  novaops completion bash > ~/.local/share/bash-completion/completions/novaops
  novaops completion zsh > "${fpath[1]}/_novaops"
  novaops completion fish > ~/.config/fish/completions/novaops.fish
"""


@click.command("completion", cls=Command, epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script that makes SHELL complete novaops."""
    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101
    root = ctx.find_root().command
    # Not source(): it starts a bash to look at its version first.
    script = completion(root, {}, "novaops", "_NOVAOPS_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return 0
