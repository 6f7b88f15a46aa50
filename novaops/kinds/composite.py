"""Composite types made by CREATE TYPE (`pg_class.relkind` c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal
from novaops.kinds.held_values import among, held_values
from novaops.kinds.kind import Part, Phase, Risk, Scene, Step
from novaops.kinds.type import Type, stored_in
from novaops.kinds.type_change import CHANGED, distinct, unread


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
        before, wanted, places = _by_name(old), _by_name(after), list(held_values(old, scene))
        by_name, by_position = self._converted(old, after, places, scene)
        risks = []
        for name, attribute in before.items():
            subject, field = f"{old.identity}.{quote_ident(name)}", f"(value).{quote_ident(name)}"
            kept = wanted.get(name)
            if kept is None and by_name:
                given = f"pg_catalog.num_nonnulls({field}) = 1"
                risks += among("data-loss", subject, by_name, "value", given, None)
            elif kept is not None and kept.type != attribute.type:
                back = f"{_field('value', attribute, kept)}::text::{attribute.type}"
                differs = distinct(back, field, name in old["_comparable"], attribute.collation)
                risks += among("narrowing", subject, by_name, "value", differs, CHANGED)
        moved = {a.name: b.name for a, b in _pairs(old, after) if a.name != b.name}
        if moved and len(before) == len(wanted):
            read = ", ".join(f"{a} as {b}" for a, b in moved.items())
            says = f"would be read by position: {read}"
            risks += among("data-loss", old.identity, by_position, "value", PRESENT, says)
        for a, b in _pairs(old, after):
            if a.type != b.type and a.name == b.name:
                field = f"(value).{quote_ident(a.name)}"
                back = f"{field}::text::{b.type}::text::{a.type}"
                differs = distinct(back, field, a.name in old["_comparable"], a.collation)
                subject = f"{old.identity}.{quote_ident(a.name)}"
                risks += among("narrowing", subject, by_position, "value", differs, CHANGED)
        return risks

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        """Report values that the new attributes do not read: what is converted goes by its text."""
        old = scene.live.objects.get(new.address)
        if old is None or old.kind != self.name:
            return []
        by_name, by_position = self._converted(old, new, list(held_values(old, scene)), scene)
        wanted = _by_name(new)
        same = [(a, wanted[name]) for name, a in _by_name(old).items() if name in wanted]
        refused = [*_unreadable(new, by_name, same, scene)]
        if len(_attributes(old)) != len(_attributes(new)):
            says = f"would have another number of attributes than {new.identity}"
            return refused + among("check", new.identity, by_position, "value", PRESENT, says)
        return [*refused, *_unreadable(new, by_position, _pairs(old, new), scene)]

    def _converted(
        self, old: Object, after: Object, places: list[tuple[Object, str]], scene: Scene
    ) -> tuple[list[tuple[Object, str]], list[tuple[Object, str]]]:
        """Places of values that keep their attributes by name, and of those that another type around them has read by position.

        Where ALTER TYPE does it, all keep them by name. ALTER COLUMN … USING allows no subquery, which an array would need.
        """
        in_place = self.alter(old, after, frozenset({"attributes"}), scene) is not None
        if in_place and old.address not in scene.replaced:
            return places, []
        nested = [place for place in places if place[0]["type"] != old.identity]
        return [place for place in places if place not in nested], nested


PRESENT = "pg_catalog.num_nonnulls(value) = 1"


def _pairs(old: Object, new: Object) -> list[tuple[Attribute, Attribute]]:
    """The attributes by their position."""
    return list(zip(_attributes(old), _attributes(new), strict=False))


def _unreadable(
    new: Object, places: list[tuple[Object, str]], pairs: list[tuple[Attribute, Attribute]], scene: Scene
) -> Iterator[Risk]:
    """For attributes of values that become other ones by their text."""
    for before, after in pairs:
        if before.type != after.type and places:
            text = f"(value).{quote_ident(before.name)}::text"
            says = f"would not fit: {after.type} does not read attribute {before.name}"
            refused = unread(text, after.type, scene.version)
            if refused is None:
                yield Risk("check", new.identity, "values")
            else:
                yield from among("check", new.identity, places, "value", refused, says)


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
