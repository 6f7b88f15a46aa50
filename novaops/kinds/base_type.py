"""Base types, and shell types that stand for one not yet defined."""

from __future__ import annotations

from collections.abc import Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Part, Scene, Step
from novaops.kinds.type import Type
from novaops.kinds.words import STORAGE

FUNCTIONS = ("input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze", "subscript")
SETTABLE = {"receive", "send", "typmod_in", "typmod_out", "analyze", "subscript", "storage"}
ALIGNMENT = {"c": "char", "s": "int2", "i": "int4", "d": "double"}


class BaseType(Type):
    name = "base type"
    words = {"alignment": ALIGNMENT, "storage": STORAGE}

    def stub(self, obj: Object) -> list[Step] | None:
        return [Step(f"CREATE TYPE {obj.identity}")]

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        if not obj["defined"]:
            return [Step(f"CREATE TYPE {obj.identity}")]
        body = ",\n".join(f"    {option}" for option in _options(obj))
        return [Step(f"CREATE TYPE {obj.identity} (\n{body}\n)")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if not old["defined"] and new["defined"]:
            return self.create(new, (), scene)
        # Values that are stored out of line or compressed cannot become plain ones.
        if changed - SETTABLE or ("storage" in changed and "p" in (old["storage"], new["storage"])):
            return None
        settings = [f"{name} = {new[name] or 'NONE'}" for name in FUNCTIONS if name in changed]
        settings += [f"storage = {STORAGE[new['storage']].lower()}"] if "storage" in changed else []
        return [Step(f"ALTER TYPE {new.identity} SET ({', '.join(settings)})")]


def _options(obj: Object) -> list[str]:
    length = obj["internallength"]
    options = [f"{name} = {obj[name]}" for name in FUNCTIONS if obj[name]]
    options.append(f"internallength = {'variable' if length == -1 else length}")
    options += ["passedbyvalue"] if obj["passedbyvalue"] else []
    options.append(f"alignment = {ALIGNMENT[obj['alignment']]}")
    options.append(f"storage = {STORAGE[obj['storage']].lower()}")
    options.append(f"category = {quote_literal(obj['category'])}")
    options += ["preferred = true"] if obj["preferred"] else []
    options += [f"default = {quote_literal(obj['default'])}"] if obj["default"] is not None else []
    options += [f"element = {obj['element']}"] if obj["element"] else []
    options.append(f"delimiter = {quote_literal(obj['delimiter'])}")
    options += ["collatable = true"] if obj["collatable"] else []
    return options
