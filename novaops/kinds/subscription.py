"""Subscriptions (`pg_subscription`); whether one is enabled, and its slot, are left to replication."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Kind, Part, Placement, Risk, Scene, Step

DEFAULTS = {
    "synchronous_commit": "off",
    "binary": False,
    "disable_on_error": False,
    "origin": "any",
    "password_required": True,
    "run_as_owner": False,
    "two_phase": False,
    "failover": False,
}
SET_TWO_PHASE = 180000
WHILE_DISABLED = ("two_phase", "failover")

# A connection string of its form, so that a masked dump loads.
MASK = "'host=********'"


# What stands on a copy for one that only superusers may read; roles that are none have to give a password.
UNKNOWN = "host=unknown password=unknown"


class Subscription(Kind):
    name = "subscription"
    types = ("subscription",)
    rank = 85
    owned = True
    secret = frozenset({"connection"})

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        # connect = false: it neither makes a slot nor copies, and may run in a transaction.
        given = ["connect = false", f"slot_name = {_slot(obj)}"]
        given.append(f"streaming = {obj['streaming']}")
        given += [_assignment(obj, a) for a, default in DEFAULTS.items() if obj[a] not in (default, None)]
        connection = quote_literal(obj["connection"] or UNKNOWN)
        return [
            Step(
                f"CREATE SUBSCRIPTION {obj.identity}\n    CONNECTION {connection}\n"
                f"    PUBLICATION {', '.join(obj['publications'])}\n    WITH ({', '.join(given)})",
                secrets=(connection,),
                mask=MASK,
            )
        ]

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        if "two_phase" in changed and scene.version < SET_TWO_PHASE:
            return None
        head = f"ALTER SUBSCRIPTION {new.identity}"
        steps = []
        if "connection" in changed:
            connection = quote_literal(new["connection"])
            steps.append(Step(f"{head} CONNECTION {connection}", secrets=(connection,), mask=MASK))
        if "publications" in changed:
            steps.append(_publications(new, refresh=old["_enabled"]))
        given = [_assignment(new, a) for a in DEFAULTS if a in changed and a not in WHILE_DISABLED]
        if "slot_name" in changed:
            given.append(f"slot_name = {_slot(new)}")
        if "streaming" in changed:
            given.append(f"streaming = {new['streaming']}")
        if given:
            steps.append(Step(f"{head} SET ({', '.join(given)})"))
        if given := [_assignment(new, a) for a in WHILE_DISABLED if a in changed]:
            # These change the slot on the publisher too, which a transaction could not undo.
            alone = [f"SET ({a})" for a in given]
            alone = ["DISABLE", *alone, "ENABLE"] if old["_enabled"] else alone
            steps += [Step(f"{head} {clause}", placement=Placement.ALONE) for clause in alone]
        return steps

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        # With a slot, DROP SUBSCRIPTION drops that on the publisher and refuses a transaction.
        placement = Placement.ALONE if obj["slot_name"] else Placement.TRANSACTION
        return [Step(f"DROP {self.target(obj)}", placement=placement)]

    def unread(self, obj: Object) -> frozenset[str]:
        return frozenset({"connection"}) if obj["connection"] is None else super().unread(obj)

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("subscription", obj.name)]

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return [Risk("behaviour", old.identity, "replication from its publisher")] if new is None else []


def _publications(obj: Object, refresh: bool) -> Step:
    """An enabled one begins to copy the tables that are new to it, outside a transaction."""
    text = f"ALTER SUBSCRIPTION {obj.identity} SET PUBLICATION {', '.join(obj['publications'])}"
    if refresh:
        return Step(text, placement=Placement.ALONE)
    return Step(f"{text} WITH (refresh = false)")


def _slot(obj: Object) -> str:
    return "NONE" if obj["slot_name"] is None else quote_literal(obj["slot_name"])


def _assignment(obj: Object, attribute: str) -> str:
    return f"{attribute} = {quote_literal(str(obj[attribute]).lower())}"
