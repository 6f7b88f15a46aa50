"""OPTIONS (…) of foreign-data wrappers, servers, user mappings and foreign tables; not a kind itself."""

from __future__ import annotations

from collections.abc import Mapping

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.kinds.options import changed_options
from novaops.kinds.secrecy import revealing

Options = Mapping[str, str] | None


def given(options: Options) -> str:
    """` OPTIONS (…)` for a CREATE statement, empty without options."""
    body = ", ".join(f"{quote_ident(name)} {quote_literal(value)}" for name, value in _sorted(options))
    return f" OPTIONS ({body})" if body else ""


def altered(old: Options, new: Options) -> str:
    """` OPTIONS (…)` for an ALTER statement that leads from `old` to `new`, empty without a change."""
    assign, drop = changed_options(old, new)
    actions = [f"DROP {quote_ident(name)}" for name in sorted(drop)]
    for name, value in sorted(assign.items()):
        action = "SET" if name in (old or {}) else "ADD"
        actions.append(f"{action} {quote_ident(name)} {quote_literal(value)}")
    return f" OPTIONS ({', '.join(actions)})" if actions else ""


def secrets(options: Options) -> tuple[str, ...]:
    """The constants within the statement that must not be shown."""
    return tuple(quote_literal(v) for name, v in _sorted(options) if revealing(name))


def described(old: Object, new: Object) -> str:
    """Which options change, without their values."""
    before, after = old["options"] or {}, new["options"] or {}
    assign, drop = changed_options(before, after)
    signs = [f"{'~' if name in before else '+'} {name}" for name in assign] + [f"- {name}" for name in drop]
    return f"options: {', '.join(signs)}"


def _sorted(options: Options) -> list[tuple[str, str]]:
    return sorted((options or {}).items())
