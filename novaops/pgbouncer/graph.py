"""The aliases as a picture: who connects by which name to which database."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from novaops.pgbouncer.inventory import Alias, Inventory

ROW, GAP, BOX, MARGIN, HEAD = 34, 90, 210, 20, 30
"""Pixels: height of a row, distance and width of columns, margin, height of the headings."""
STYLE = "font-family:sans-serif;font-size:13px"


def mermaid(inventory: Inventory) -> str:
    """A flow chart in mermaid's language, as GitHub and others draw it from markdown."""
    lines = ["flowchart LR"]
    users = _numbered([a.user for a in inventory.aliases])
    targets = _numbered([str(a.target) for a in inventory.aliases])
    lines += [f"    u{number}([{_label(user)}])" for user, number in users.items()]
    lines.append("    subgraph pgbouncer")
    lines += [f"        a{i}[{_label(a.name)}]" for i, a in enumerate(inventory.aliases)]
    lines.append("    end")
    lines += [f"    d{number}[({_label(target)})]" for target, number in targets.items()]
    for i, alias in enumerate(inventory.aliases):
        pool = _label(f"{alias.pool_mode}, {alias.pool_size}")
        lines.append(f"    u{users[alias.user]} --> a{i} -- {pool} --> d{targets[str(alias.target)]}")
    return "\n".join(lines) + "\n"


def svg(inventory: Inventory) -> str:
    """The same as a drawing of its own."""
    aliases = inventory.aliases
    columns = ([a.user for a in aliases], [a.name for a in aliases], [str(a.target) for a in aliases])
    places = [_places(column) for column in columns]
    width = 2 * MARGIN + 3 * BOX + 2 * GAP
    height = 2 * MARGIN + HEAD + max(len(aliases), 1) * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<g style="{STYLE}">',
    ]
    for column, title in enumerate(("user", "alias (pgbouncer)", "database")):
        parts.append(
            f'<text x="{_x(column) + BOX / 2:g}" y="{MARGIN + 14}" text-anchor="middle">{title}</text>'
        )
    for alias in aliases:
        parts += _lines(alias, places)
    for column, spots in enumerate(places):
        for text, y in spots.items():
            parts += [
                f'<rect x="{_x(column)}" y="{y - 12:g}" width="{BOX}" height="24" rx="4" fill="#eef" stroke="#446"/>',
                f'<text x="{_x(column) + BOX / 2:g}" y="{y + 4.5:g}" text-anchor="middle">{escape(text)}</text>',
            ]
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def _lines(alias: Alias, places: Sequence[dict[str, float]]) -> list[str]:
    ends = [places[0][alias.user], places[1][alias.name], places[2][str(alias.target)]]
    return [
        f'<line x1="{_x(i) + BOX}" y1="{ends[i]:g}" x2="{_x(i + 1)}" y2="{ends[i + 1]:g}" stroke="#446"/>'
        for i in range(2)
    ]


def _places(texts: Sequence[str]) -> dict[str, float]:
    """The middle of each box: where its lines are, on average."""
    found: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        found.setdefault(text, []).append(row)
    return {
        text: MARGIN + HEAD + (sum(at) / len(at) + 0.5) * ROW
        for text, at in found.items()
    }  # fmt: skip


def _x(column: int) -> int:
    return MARGIN + column * (BOX + GAP)


def _numbered(texts: Sequence[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(dict.fromkeys(texts))}


def _label(text: str) -> str:
    """A label that no character of the text can end (mermaid's entity codes)."""
    return '"' + "".join(c if c.isalnum() or c in " _-.,:→" else f"#{ord(c)};" for c in text) + '"'
