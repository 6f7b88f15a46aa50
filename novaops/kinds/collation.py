"""Collations (`pg_collation`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident, quote_literal, quote_qualified, suffixed
from novaops.kinds.kind import ASIDE, Kind, Part, Scene, Step

PROVIDERS = {"b": "builtin", "c": "libc", "i": "icu"}


class Collation(Kind):
    name = "collation"
    types = ("collation",)
    rank = 15
    words = {"provider": PROVIDERS}
    owned = True
    swap = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        options = [f"provider = {PROVIDERS[obj['provider']]}"]
        if obj["locale"] is not None:
            options.append(f"locale = {quote_literal(obj['locale'])}")
        elif obj["collate"] == obj["ctype"]:
            options.append(f"locale = {quote_literal(obj['collate'])}")
        else:
            options.append(f"lc_collate = {quote_literal(obj['collate'])}")
            options.append(f"lc_ctype = {quote_literal(obj['ctype'])}")
        if not obj["deterministic"]:
            options.append("deterministic = false")
        if obj["rules"] is not None:
            options.append(f"rules = {quote_literal(obj['rules'])}")
        return [Step(f"CREATE COLLATION {obj.identity} ({', '.join(options)})")]

    def aside(self, obj: Object, scene: Scene) -> tuple[list[Step], Object]:
        name = suffixed(obj.name, ASIDE)
        identity = quote_qualified(obj.schema or "", name)
        address = Address("collation", (obj.schema or "", name))
        step = Step(f"ALTER {self.target(obj)} RENAME TO {quote_ident(name)}")
        return [step], replace(obj, address=address, identity=identity, name=name)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("collation", *obj.address.names)]
