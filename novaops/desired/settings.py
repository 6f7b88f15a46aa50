"""Settings that the files make with SET, and the ones in effect at the place of a statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from novaops.db.identifiers import quote_ident, quote_literal
from novaops.desired.lexer import Token, folded
from novaops.desired.split import Statement

# About the session that loads a dump, not about what it declares; novaops pins the ones that matter.
IGNORED = frozenset(
    ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout",
     "idle_session_timeout", "client_encoding", "client_min_messages", "check_function_bodies", "row_security",
     "default_with_oids", "synchronous_commit", "session_replication_role", "escape_string_warning",
     "standard_conforming_strings", "lc_messages", "track_counts"]
)  # fmt: skip

# SET SESSION AUTHORIZATION also resets the role, so it is restored before it.
_ORDER = {"session_authorization": 0, "role": 1}


NO_DEFAULTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set: the SET statement of each parameter that differs from the session's default."""

    values: Mapping[str, str] = field(default_factory=dict)

    def after(self, change: Change) -> Settings:
        if change.name == "all":
            keep = {k: v for k, v in self.values.items() if k in _ORDER}
            return Settings(keep)
        values = {k: v for k, v in self.values.items() if k != change.name}
        if change.name == "session_authorization":
            values.pop("role", None)
        if change.sql is not None:
            values[change.name] = change.sql
        return Settings(values)

    def reached_from(self, other: Settings, defaults: Mapping[str, str] = NO_DEFAULTS) -> list[str]:
        """Statements that bring a session from `other` to these settings.

        A parameter that is not set any more goes to its default: of `defaults`, which are those of the session, or else
        the server's.
        """
        if self.values == other.values:
            return []
        reset = [name for name in other.values if name not in self.values]
        found = [_reset(name, defaults) for name in sorted(reset, key=_rank)]
        authorization = "session_authorization"
        again = authorization in reset or self.values.get(authorization) != other.values.get(authorization)
        for name in sorted(self.values, key=_rank):
            if self.values[name] != other.values.get(name) or (again and name == "role"):
                found.append(self.values[name])
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """What a SET or RESET does: `sql` gives the parameter its value again, None is its default."""

    name: str
    sql: str | None


def change_of(statement: Statement) -> Change:
    """The parameter that a SET or RESET statement is about; SET LOCAL counts as SET."""
    found = statement.tokens()
    words = [word for _, word in found]
    at = 1
    if words[1:2] in (["SESSION"], ["LOCAL"]) and words[2:3] != ["AUTHORIZATION"]:
        at = 2
    name, length = _parameter(words[at:])
    default = words[0] == "RESET" or words[at + length + 1 : at + length + 2] == ["DEFAULT"]
    if default and name != "all":
        return Change(name, None)
    text = statement.text
    return Change(name, None if name == "all" else f"SET {text[found[at][0].start :]}")


def _parameter(words: list[str]) -> tuple[str, int]:
    """Name of the parameter, and how many tokens name it."""
    special: dict[tuple[str, ...], tuple[str, int]] = {
        ("SESSION", "AUTHORIZATION"): ("session_authorization", 1),
        ("TIME", "ZONE"): ("timezone", 1),
        ("XML", "OPTION"): ("xmloption", 1),
    }
    if (known := special.get(tuple(words[:2]))) is not None:
        return known
    if words[:1] == ["SCHEMA"]:
        return "search_path", 0
    if words[:1] == ["NAMES"]:
        return "client_encoding", 0
    if words[:1] == ["ROLE"]:
        return ("role", 0)
    length = 1
    while words[length : length + 1] == ["."]:
        length += 2
    return "".join(folded(w) for w in words[:length]), length


def set_config(tokens: list[tuple[Token, str]]) -> Change | None:
    """The setting in `SELECT [pg_catalog.]set_config('name', 'value', …)`, as pg_dump writes it."""
    words = [w for _, w in tokens]
    rest = words[3:] if words[1:3] == ["PG_CATALOG", "."] else words[1:]
    if rest[:2] != ["SET_CONFIG", "("] or rest[3:4] != [","] or len(rest) < 6:
        return None
    if not (rest[2].startswith("'") and rest[4].startswith("'")):
        return None
    name = rest[2][1:-1].lower()
    value = rest[4]
    return Change(name, f"SELECT pg_catalog.set_config({quote_literal(name)}, {value}, false)")


def _reset(name: str, defaults: Mapping[str, str]) -> str:
    if name == "session_authorization":
        return "RESET SESSION AUTHORIZATION"
    if name in defaults:
        return f"SELECT pg_catalog.set_config({quote_literal(name)}, {quote_literal(defaults[name])}, false)"
    return "RESET " + ".".join(quote_ident(part) for part in name.split("."))


def _rank(name: str) -> tuple[int, str]:
    return _ORDER.get(name, 2), name
