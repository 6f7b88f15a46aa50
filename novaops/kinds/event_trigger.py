"""Event triggers (`pg_event_trigger`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.object import Object
from novaops.kinds.kind import Kind, Part, Risk, Scene, Step
from novaops.kinds.words import MODE_NAMES, MODES


class EventTrigger(Kind):
    name = "event trigger"
    types = ("event trigger",)
    rank = 95  # after the statements that it would fire for
    words = {"enabled": MODE_NAMES}
    owned = True

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        text = f"CREATE EVENT TRIGGER {obj.identity} ON {obj['event']}"
        if obj["tags"]:
            text += f"\n    WHEN TAG IN ({', '.join(obj['tags'])})"
        steps = [Step(f"{text}\n    EXECUTE FUNCTION {obj['function']}()")]
        if obj["enabled"] != "O":
            steps.append(_mode(obj))
        return steps

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        return [_mode(new)] if changed == {"enabled"} else None

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        return [("event trigger", obj.name)]

    def fires(self, obj: Object) -> str | None:
        # `login` is no DDL; R fires only where session_replication_role is replica, which an apply is not.
        if obj["event"] == "login" or obj["enabled"] not in ("O", "A"):
            return None
        tags = f" for {', '.join(tag.strip(chr(39)) for tag in obj['tags'])}" if obj["tags"] else ""
        return f"at {obj['event']}{tags}"

    def missing(self, obj: Object) -> str:
        return "it does not fire"

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        return [Risk("behaviour", old.identity, "the trigger mode")] if new and "enabled" in changed else []


def _mode(obj: Object) -> Step:
    return Step(f"ALTER EVENT TRIGGER {obj.identity} {MODES[obj['enabled']]}")
