"""Operators (`pg_operator`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.kind import Kind, Part, Scene, Step

ESTIMATORS = ("restrict", "join")
LINKS = ("commutator", "negator")
FLAGS = ("hashes", "merges")
SETTABLE_ONCE = 170000
"""The release whose ALTER OPERATOR sets links and flags that are not set yet."""


class Operator(Kind):
    name = "operator"
    types = ("operator",)
    renames = False
    rank = 36
    owned = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        options = [f"function = {obj['function']}"]
        options += [f"leftarg = {obj['_leftarg']}"] if obj["_leftarg"] else []
        options.append(f"rightarg = {obj['_rightarg']}")
        options += [f"{name} = {obj[name]}" for name in LINKS + ESTIMATORS if obj[name]]
        options += [name for name in FLAGS if obj[name]]
        body = ",\n".join(f"    {option}" for option in options)
        return [Step(f"CREATE OPERATOR {obj['_operator']} (\n{body}\n)")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if "function" in changed:
            return None if old["function"] else self.create(new, (), scene)
        linked = {name for name in LINKS if name in changed and _linked_by_other(old, new, name, scene)}
        once = (changed & {*LINKS, *FLAGS}) - linked
        if once and (scene.version < SETTABLE_ONCE or any(old[name] for name in once)):
            return None
        if any(_shell(_other(new, name), scene) for name in once & {*LINKS}):
            return None  # only CREATE OPERATOR makes one
        options = [f"{name} = {new[name] or 'NONE'}" for name in ESTIMATORS if name in changed]
        options += [f"{name} = {new[name]}" for name in LINKS if name in once]
        options += [name for name in FLAGS if name in once]
        return [Step(f"ALTER {self.target(new)} SET ({', '.join(options)})")] if options else []

    def target(self, obj: Object) -> str:
        return f"OPERATOR {obj['_operator']} ({obj['_leftarg'] or 'NONE'}, {obj['_rightarg']})"

    def needs(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        return _linking(obj, snapshot) if obj["function"] is None else []

    def remnant(self, obj: Object, snapshot: Snapshot) -> bool:
        # A shell stays when what named it as commutator or negator goes.
        return obj["function"] is None and not _linking(obj, snapshot)

    def produced(self, obj: Object, scene: Scene) -> bool:
        return obj["function"] is None and scene.live.objects.get(obj.address) is not obj

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("operator", *obj.address.names, *obj.address.args)]


def _linking(shell: Object, snapshot: Snapshot) -> list[Address]:
    """The operators that have the shell as their commutator or negator."""
    operators = (o for o in snapshot if o.kind == shell.kind)
    return [o.address for o in operators if any(o[k] and _other(o, k) == shell.address for k in LINKS)]


def _linked_by_other(old: Object, new: Object, link: str, scene: Scene) -> bool:
    """Whether the other operator, dropped or created in the same plan, breaks or makes the link itself."""
    lost = old[link] is None or _other(old, link) in scene.replaced
    other = _other(new, link)
    made = new[link] is None or (other in scene.created and not _shell(other, scene))
    return lost and made


def _shell(address: Address, scene: Scene) -> bool:
    other = scene.desired.objects.get(address)
    return other is not None and other["function"] is None


def _other(obj: Object, link: str) -> Address:
    args = obj.address.args if link == "negator" else obj.address.args[::-1]
    return Address("operator", tuple(obj[f"_{link}_names"]), args)
