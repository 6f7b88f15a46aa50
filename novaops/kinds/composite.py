"""Composite types made by CREATE TYPE (`pg_class.relkind` c)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.kinds.kind import Part, Phase, Risk, Scene, Step
from novaops.kinds.type import Type, held, stored_in


class Attribute(NamedTuple):
    name: str
    type: str
    collation: str | None

    def __str__(self) -> str:
        return f"{quote_ident(self.name)} {self.definition('')}"

    def definition(self, keyword: str) -> str:
        return f"{keyword}{self.type}" + (f" COLLATE {self.collation}" if self.collation else "")


class Composite(Type):
    name = "composite"
    swap = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        body = ",\n".join(f"    {attribute}" for attribute in _attributes(obj))
        create = Step(f"CREATE TYPE {obj.identity} AS (\n{body}\n)")
        return [create, *_said({}, {}, obj)]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        before, after = _by_name(old), _by_name(new)
        drops = [f"DROP ATTRIBUTE {quote_ident(name)}" for name in before if name not in after]
        kept = [name for name in before if name in after]
        if list(after)[: len(kept)] != kept:
            return None  # a new attribute can only be the last one
        retyped = [name for name in kept if before[name] != after[name]]
        if retyped and stored_in(old, scene):
            return None
        # Tables OF the type refuse any change of it but with CASCADE (ALTER TYPE).
        effects = frozenset({"attributes", "attribute type"} if retyped else {"attributes"})
        clauses = [
            f"ALTER ATTRIBUTE {quote_ident(name)} {after[name].definition('TYPE ')}" for name in retyped
        ]
        clauses += [f"ADD ATTRIBUTE {after[name]}" for name in after if name not in before]
        head = f"ALTER TYPE {new.identity}"
        dropped = Step(f"{head} {', '.join(drops)}", frozenset({"attributes"}), phase=Phase.RELEASE)
        steps = [dropped] if drops else []
        steps += [Step(f"{head} {', '.join(clauses)}", effects)] if clauses else []
        return steps + _said(old["attribute_comments"], old["attribute_labels"], new)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [*super().names(obj), ("relation", obj.schema or "", obj.name)]

    def parts(self, obj: Object) -> Sequence[str]:
        return list(_by_name(obj))

    def rename_part(self, obj: Object, before: str, after: str) -> list[Step]:
        rename = f"RENAME ATTRIBUTE {quote_ident(before)} TO {quote_ident(after)}"
        return [Step(f"ALTER {self.target(obj)} {rename}")]

    def conversion(self, old: Object, new: Object, value: str) -> str:
        if old.kind != self.name:
            return super().conversion(old, new, value)
        before = _by_name(old)
        fields = (
            _field(value, before[name], attribute) if name in before else "NULL"
            for name, attribute in _by_name(new).items()
        )
        return f"CASE WHEN num_nonnulls({value}) = 1 THEN ROW({', '.join(fields)})::{new.identity} END"

    def value_risks(self, old: Object, after: Object, scene: Scene) -> list[Risk]:
        before, wanted, columns = _by_name(old), _by_name(after), stored_in(old, scene)
        risks = []
        for name, attribute in before.items():
            hazard = "data-loss" if name not in wanted else "narrowing"
            if columns and wanted.get(name) != attribute:
                subject = f"{old.identity}.{quote_ident(name)}"
                risks += held(hazard, subject, ((c, _holds(c, old, name)) for c in columns), scene)
        # Within an array values are converted as text, that is by position and not by name.
        nested = [(c, _present(c)) for c in columns if c["type"] != old.identity]
        if nested and list(before) != list(wanted)[: len(before)]:
            risks += held("data-loss", old.identity, nested, scene)
        return risks


def _field(value: str, before: Attribute, after: Attribute) -> str:
    """The attribute of `value` in its new type, which may be another one of the same name."""
    field = f"({value}).{quote_ident(before.name)}"
    built_in = before.type == after.type and "." not in after.type
    return field if built_in else f"{field}::text::{after.type}"


def _attributes(obj: Object) -> list[Attribute]:
    return [Attribute(*attribute) for attribute in obj["attributes"]]


def _by_name(obj: Object) -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in _attributes(obj)}


def _said(comments: Mapping[str, str], labels: Mapping[str, Mapping[str, str]], new: Object) -> list[Step]:
    """Comments and security labels of the attributes, where they are not these: attributes are no objects."""
    steps = []
    for name in _by_name(new):
        column, comment = f"COLUMN {new.identity}.{quote_ident(name)}", new["attribute_comments"].get(name)
        if comments.get(name) != comment:
            steps.append(Step(f"COMMENT ON {column} IS {_literal(comment)}"))
        before, after = labels.get(name, {}), new["attribute_labels"].get(name, {})
        for provider in sorted(before.keys() | after.keys()):
            if before.get(provider) != after.get(provider):
                label = _literal(after.get(provider))
                steps.append(Step(f"SECURITY LABEL FOR {quote_ident(provider)} ON {column} IS {label}"))
    return steps


def _literal(text: str | None) -> str:
    return "NULL" if text is None else quote_literal(text)


def _holds(column: Object, composite: Object, attribute: str) -> str:
    """Condition under which some value in the column has the attribute, in an array or composite as well."""
    name = quote_ident(column.address.names[-1])
    if column["type"] == composite.identity:
        return f"num_nonnulls(({name}).{quote_ident(attribute)}) = 1"
    return _present(column)


def _present(column: Object) -> str:
    return f"num_nonnulls({quote_ident(column.address.names[-1])}) = 1"
