"""Privileges as sets, read from `aclitem` text (documentation, section 5.8, table 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from novaops.db.identifiers import quote_ident

OWNER = "\0owner"
"""Stands for whoever owns the object, so that two servers with other owners compare equal."""

PUBLIC = ""

GRANTS = "grants"
"""The fact of an object that holds its `Grant`s, where somebody else than its owner has given one."""

ABBREVIATIONS = {
    "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES",
    "t": "TRIGGER", "X": "EXECUTE", "U": "USAGE", "C": "CREATE", "c": "CONNECT", "T": "TEMPORARY",
    "s": "SET", "A": "ALTER SYSTEM", "m": "MAINTAIN",
}  # fmt: skip
LETTERS = {privilege: letter for letter, privilege in ABBREVIATIONS.items()}


@dataclass(frozen=True, slots=True, order=True)
class Privilege:
    """One privilege of one role; the grantee is a role name, `PUBLIC` or `OWNER`."""

    grantee: str
    privilege: str
    grantable: bool = False


class Grant(NamedTuple):
    """An entry of an ACL that somebody else than the owner may have given."""

    grantee: str
    privilege: str
    grantable: bool
    grantor: str
    """A role name, or `OWNER`."""
    reached: bool = True
    """Whether the session may act as the grantor, without which nobody but CASCADE takes the entry away."""

    @property
    def held(self) -> Privilege:
        return Privilege(self.grantee, self.privilege, self.grantable)


@lru_cache(maxsize=1024)
def parse_acl(items: tuple[str, ...], owner: str | None = None) -> frozenset[Privilege]:
    """Privileges in a text form of `aclitem[]`; `owner`'s own are given as those of `OWNER`.

    Most objects of a database have one of a few lists.
    """
    return frozenset(p for item in items for p in _parse_item(item, owner))


@lru_cache(maxsize=1024)
def parse_grants(items: tuple[str, ...], owner: str) -> tuple[Grant, ...]:
    """All entries with who gave them; nothing where that is always the owner."""
    found = []
    for item in items:
        _, rest = _role(item)
        grantor, _ = _role(rest.removeprefix("=").partition("/")[2])
        by = OWNER if grantor == owner else grantor
        found += [Grant(p.grantee, p.privilege, p.grantable, by) for p in _parse_item(item, owner)]
    return tuple(found) if any(grant.grantor != OWNER for grant in found) else ()


def acl_items(privileges: Iterable[Privilege], grantor: str) -> tuple[str, ...]:
    """Write privileges as text forms of `aclitem`; `grantor` is a role name as SQL has it."""
    letters: dict[str, str] = {}
    for p in sorted(privileges):
        letters[p.grantee] = letters.get(p.grantee, "") + LETTERS[p.privilege] + "*" * p.grantable
    return tuple(f"{quote_ident(g) if g else g}={given}/{grantor}" for g, given in letters.items())


def _parse_item(item: str, owner: str | None) -> Iterator[Privilege]:
    grantee, rest = _role(item)
    letters = rest.removeprefix("=").partition("/")[0]
    name = OWNER if owner is not None and grantee == owner else grantee
    for i, letter in enumerate(letters):
        if letter != "*":
            yield Privilege(name, ABBREVIATIONS[letter], letters[i + 1 : i + 2] == "*")


def _role(item: str) -> tuple[str, str]:
    """Split `grantee` (double-quoted when it holds unusual characters) from the rest."""
    if not item.startswith('"'):
        name, _, rest = item.partition("=")
        return name, "=" + rest
    end = 1
    while item[end] != '"' or item[end + 1 : end + 2] == '"':
        end += 2 if item[end] == '"' else 1
    return item[1:end].replace('""', '"'), item[end + 1 :]
