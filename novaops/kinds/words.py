"""Changes of attributes in words, for plans; not a kind itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 60
"""Characters of a value that is still shown."""

MODES = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
"""What ALTER … TRIGGER and RULE call `pg_trigger.tgenabled`, `pg_rewrite.ev_enabled` and the like."""
MODE_NAMES = {"O": "origin", "D": "disabled", "R": "replica", "A": "always"}
PERSISTENCE = {"p": "logged", "u": "unlogged"}
REPLICA_IDENTITY = {"d": "DEFAULT", "f": "FULL", "n": "NOTHING", "i": "an index"}
STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}


def in_words(name: str, old: Any, new: Any, words: Mapping[Any, str]) -> str:
    """How the attribute `name` changes; `words` are those for letters of the catalogs.

    Of lists and options only what comes and goes is told, of long texts that they change.
    """
    title = name.replace("_", " ")
    if (old or new) and (isinstance(old, tuple | Mapping) or isinstance(new, tuple | Mapping)):
        return f"{title}: {_members(_listed(old, words), _listed(new, words))}"
    before, after = _word(old, words), _word(new, words)
    if any(len(text) > LONGEST or "\n" in text for text in (before, after)):
        return f"{title} changed"
    return f"{title}: {before} → {after}"


def _members(before: list[str], after: list[str]) -> str:
    gone = [f"- {each}" for each in before if each not in after]
    come = [f"+ {each}" for each in after if each not in before]
    text = ", ".join(gone + come)
    if not text:
        return "another order"
    return (
        text if len(text) <= 2 * LONGEST and "\n" not in text else f"{len(gone)} removed, {len(come)} added"
    )


def _listed(value: Any, words: Mapping[Any, str]) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{key}={_word(each, words)}" for key, each in value.items()]
    return [_word(each, words) for each in value or ()]


def _word(value: Any, words: Mapping[Any, str]) -> str:
    match value:
        case _ if not value and isinstance(value, tuple | Mapping):
            return "default"
        case tuple():
            return " ".join(_word(each, words) for each in value if each not in (None, ""))
        case Mapping():
            return " ".join(_listed(value, words))
        case _ if value in words:
            return words[value]
        case None | "":
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
