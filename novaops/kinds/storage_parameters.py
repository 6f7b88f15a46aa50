"""Storage parameters (`pg_class.reloptions`) in the order in which pg_dump shows them; not a kind itself."""

from __future__ import annotations

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal

Parameters = dict[str, str]


def given(obj: Object) -> str:
    """`WITH (…)` for a CREATE statement, empty without parameters."""
    found = {**_own(obj), **_toast(obj)}
    return f"WITH ({_assignments(found)})" if found else ""


def altered(old: Object, new: Object) -> list[str]:
    """`SET (…)` and `RESET (…)` for the ALTER statements that lead from `old` to `new`."""
    assign = {**_to_set(_own(old), _own(new)), **_to_set(_toast(old), _toast(new))}
    kept = {**_own(new), **_toast(new)}
    reset = [name for name in {**_own(old), **_toast(old)} if name not in kept]
    clauses = [f"SET ({_assignments(assign)})"] if assign else []
    return [*clauses, f"RESET ({', '.join(reset)})"] if reset else clauses


def value(obj: Object, name: str) -> str | None:
    """That of one parameter as it was written, None where it is not set."""
    return _own(obj).get(name)


def _own(obj: Object) -> Parameters:
    return dict(text.split("=", 1) for text in obj["options"] or ())


def _toast(obj: Object) -> Parameters:
    """Those of the TOAST table, under the names that statements about its table give them."""
    return {f"toast.{k}": v for k, v in (t.split("=", 1) for t in obj.attributes.get("toast_options") or ())}


def _to_set(before: Parameters, after: Parameters) -> Parameters:
    """The fewest that lead to the order of `after`: SET puts what it names at the end (reloptions.c)."""
    goal = list(after.items())

    def stays(count: int) -> bool:
        return [each for each in before.items() if each[0] in dict(goal[:count])] == goal[:count]

    return dict(goal[next(count for count in reversed(range(len(goal) + 1)) if stays(count)) :])


def _assignments(parameters: Parameters) -> str:
    return ", ".join(f"{name}={quote_literal(value)}" for name, value in parameters.items())
