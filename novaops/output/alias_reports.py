"""What `novaops alias check`, `explain`, `propose`, `render` and `graph` print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from novaops.invocation import command_line
from novaops.output.aliases import alias_value
from novaops.output.json import dumps
from novaops.output.terminal import visible, write_data, write_lines
from novaops.output.tree import HAZARD, counted
from novaops.pgbouncer.check import Report
from novaops.pgbouncer.explain import Explanation
from novaops.pgbouncer.graph import mermaid, svg
from novaops.pgbouncer.inventory import Inventory
from novaops.pgbouncer.propose import Proposal
from novaops.pgbouncer.rendering import Rendered

MARKS = {"error": ("✗", HAZARD), "warning": ("!", "yellow")}


def write_report(report: Report, form: str) -> None:
    """A finding in two lines: what is wrong, and what mends it."""
    if form == "json":
        value = {
            "format_version": 1,
            "findings": [asdict(f) for f in report.findings],
            "looked_at": report.looked_at,
            "left_out": report.left_out,
        }
        write_data(dumps(value))
        return
    lines = []
    for found in report.findings:
        lines.append(
            Text.assemble(
                MARKS[found.severity],
                " ",
                (f"{found.code}", "bold"),
                f"  {visible(found.subject)}: {visible(found.message)}",
            )
        )
        lines.append(Text(f"    {visible(found.hint)}", "dim"))
    errors = sum(f.severity == "error" for f in report.findings)
    warnings = len(report.findings) - errors
    looked = " and ".join(report.looked_at) if len(report.looked_at) < 3 else "files, pooler and servers"
    if not report.findings:
        lines.append(Text(f"✓ {looked} are as novaops.toml declares", "green"))
    else:
        lines.append(Text(f"{counted(errors, 'error')}, {counted(warnings, 'warning')} in {looked}", "bold"))
    if report.left_out:
        lines.append(Text(f"not looked at: {', '.join(report.left_out)}", "yellow"))
    write_lines(lines)


def write_explanation(found: Explanation, form: str) -> None:
    """The facts as a list."""
    if form == "json":
        facts = {label.replace(" ", "_"): text for label, text in found.facts}
        write_data(dumps({"format_version": 1, "alias": alias_value(found.alias), "facts": facts}))
        return
    lines = [Text(visible(str(found.alias)), "bold")]
    lines += [Text.assemble((f"  {label:9}", "bold"), visible(text)) for label, text in found.facts]
    write_lines(lines)


def write_proposals(proposals: Sequence[Proposal], form: str) -> None:
    """The commands that would bring the aliases to what the table agents says."""
    if form == "json":
        write_data(dumps({"format_version": 1, "proposals": [asdict(p) for p in proposals]}))
        return
    if not proposals:
        write_lines([Text("every persistent agent has an alias, and no other", "green")])
        return
    lines = []
    for each in proposals:
        mark = ("+ ", "green") if each.operation == "add" else ("- ", "red")
        lines.append(
            Text.assemble(mark, f"{visible(each.alias)}   {visible(each.agent)}: {visible(each.reason)}")
        )
        if each.operation == "add" and not each.has_role:
            lines.append(Text(f"    the server has no role {visible(each.role)} yet", "yellow"))
        _, group, command, *words = each.command
        lines.append(Text(f"    {visible(command_line(f'{group} {command}', *words))}", "dim"))
    write_lines(lines)


def write_rendered(rendered: Rendered, form: str) -> None:
    """The names of the files, or pgbouncer.ini itself where none was written."""
    if form == "json":
        write_data(dumps({"format_version": 1, **asdict(rendered)}))
    elif rendered.written:
        write_lines([Text(visible(name)) for name in rendered.written])
    else:
        write_data(rendered.ini)
    if rendered.lacking and rendered.written and form != "json":
        users = ", ".join(visible(user) for user in rendered.lacking)
        write_lines(
            [
                Text(
                    f"note     userlist.txt lacks the secrets of {users}: --with-secrets reads them from the server",
                    "yellow",
                )
            ],
            stderr=True,
        )


def write_graph(inventory: Inventory, form: str) -> None:
    """The picture."""
    if form == "json":
        value = {"format_version": 1, "aliases": [alias_value(a) for a in inventory.aliases]}
        write_data(dumps(value))
    else:
        write_data(svg(inventory) if form == "svg" else mermaid(inventory))
