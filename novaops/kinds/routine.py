"""What functions and procedures have in common (`pg_proc`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from novaops.catalog.object import Object
from novaops.catalog.privileges import OWNER
from novaops.db.identifiers import quote_qualified
from novaops.kinds.computed import left_as_computed
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step


class Parameter(NamedTuple):
    """A parameter; `mode` is one of `pg_proc.proargmodes`."""

    mode: str
    name: str
    type: str
    default: str | None


class Routine(Kind):
    """Base of the kinds that CREATE OR REPLACE changes in place unless their interface differs."""

    acl_type = "f"
    owned = True
    words = {
        "kind": {"f": "function", "w": "window function"},
        "volatility": {"i": "IMMUTABLE", "s": "STABLE", "v": "VOLATILE"},
        "parallel": {"s": "SAFE", "r": "RESTRICTED", "u": "UNSAFE"},
    }
    stub_rank = 1  # it names types, which may be those of a view in the same cycle
    signature: frozenset[str] = frozenset()
    """Attributes that OR REPLACE cannot change."""
    least_row = 1
    """How many output parameters make the result a row."""

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        if obj.address in scene.stubbed:
            return [_create_or_replace(obj)]
        return [Step("CREATE " + obj["_definition"].removeprefix("CREATE OR REPLACE ").rstrip("\n"))]

    def stub(self, obj: Object) -> list[Step] | None:
        """One with an empty body, which nobody reads while `check_function_bodies` is off."""
        if not obj["_parsed"]:
            return None
        name = quote_qualified(*obj.address.names)
        returns = f"\nRETURNS {obj['result']}" if "result" in obj.attributes else ""
        return [Step(f"CREATE {self.keyword(obj)} {name}({obj['arguments']}){returns}\nLANGUAGE sql AS ''")]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if changed & self.signature or not self._callable_as_before(old, new):
            return None
        return [_create_or_replace(new)]

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("routine", *obj.address.names, *obj.address.args)]

    def refused(self, obj: Object) -> frozenset[str]:
        # Only a body that was parsed when it was written (BEGIN ATOMIC, RETURN) names columns.
        return frozenset({"column type", "attribute type"}) if obj["_parsed"] else frozenset()

    def reached(self, obj: Object) -> str | None:
        # Who runs any other one does so with his own rights.
        return "SELECT true" if obj.attributes.get("security_definer") else None

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        if new is None:
            return []
        return [*left_as_computed(old, changed, scene), *_rights(old, new, "owner" in changed)]

    def instead(self, old: Object, new: Object, scene: Scene) -> list[Risk]:
        comparable = "security_definer" in old.attributes and "security_definer" in new.attributes
        return list(_rights(old, new, False)) if comparable else []

    def opaque(self, obj: Object) -> bool:
        return not obj["_parsed"]

    def _callable_as_before(self, old: Object, new: Object) -> bool:
        """Whether OR REPLACE takes the parameters (ProcedureCreate, src/backend/catalog/pg_proc.c)."""
        before, after = _parameters(old), _parameters(new)
        if self._row(before) != self._row(after):
            return False
        return all(
            a.name in ("", b.name)
            # The defaults may not become fewer, and that of a polymorphic parameter keeps its type.
            and (a.default is None or b.default is not None)
            and (a.default == b.default or not a.type.startswith("any"))
            for a, b in zip(_inputs(before), _inputs(after), strict=True)
        )

    def _row(self, parameters: Sequence[Parameter]) -> list[tuple[str, str]]:
        """Names and types of the columns of the result, when it is a row."""
        columns = [(p.name, p.type) for p in parameters if p.mode in "obt"]
        return columns if len(columns) >= self.least_row else []


def _rights(old: Object, new: Object, owner: bool) -> Iterator[Risk]:
    """With whose rights it runs, and what that changes for those who may call it before as after."""
    before, after = old["security_definer"], new["security_definer"]
    callers = sorted(
        {p.grantee for p in old.privileges or ()} & {p.grantee for p in new.privileges or ()} - {OWNER}
    )
    if not callers:
        return
    what = f"EXECUTE of {', '.join(caller or 'PUBLIC' for caller in callers)}"
    if after and (not before or owner):
        says = f"would come with the rights of {'the new' if owner else 'the'} owner"
        yield Risk("access-grant", new.identity, what, says=says)
    elif before and not after:
        says = "would no longer come with the rights of the owner"
        yield Risk("access-loss", new.identity, what, says=says)
    if before and after and _sets_search_path(old) and not _sets_search_path(new):
        # Whoever may create objects in a schema of that path runs code as the owner (CREATE FUNCTION, "Writing
        # SECURITY DEFINER Functions Safely").
        says = "would look up names in the search_path of the caller, with the rights of the owner"
        yield Risk("access-grant", new.identity, what, says=says)


def _sets_search_path(routine: Object) -> bool:
    return any(setting.startswith("search_path=") for setting in routine["config"] or ())


def _create_or_replace(obj: Object) -> Step:
    return Step(obj["_definition"].rstrip("\n"))


def _parameters(obj: Object) -> list[Parameter]:
    return [Parameter(*p) for p in obj["_parameters"]]


def _inputs(parameters: Iterable[Parameter]) -> list[Parameter]:
    return [p for p in parameters if p.mode in "ibv"]
