"""The GRANT and REVOKE that lead from one set of privileges to another; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from novaops.catalog.privileges import OWNER, PUBLIC, Grant, Privilege
from novaops.db.identifiers import do_block, quote_ident

Privileges = frozenset[Privilege]


def grants(
    where: tuple[str, str], before: Privileges, after: Privileges, owner: str, given: Sequence[Grant] = ()
) -> list[str]:
    """REVOKE and GRANT statements from `before` to `after`.

    `where` is what `Kind.grant_target` returns, `owner` the role that OWNER stands for. `given` are the entries of
    `before` with their grantors, where these are not always the owner: REVOKE takes away what one grantor has given, and
    nothing that others have passed on, so that comes first, and is given again by the owner if it is to stay.
    """
    suffix, target = where
    kept = {(p.grantee, p.privilege) for p in after}
    options = {(p.grantee, p.privilege) for p in after if p.grantable}
    taken = taken_back(given, after)
    of_owner = {g.held for g in given if g.grantor == OWNER}
    before = frozenset(p for p in before if not given or p in of_owner)
    revoked = [p for p in before if (p.grantee, p.privilege) not in kept]
    narrowed = [
        p for p in before if p.grantable and p not in revoked and (p.grantee, p.privilege) not in options
    ]
    narrowed_keys = {(p.grantee, p.privilege) for p in narrowed}
    there = {(g.grantee, g.privilege, g.grantable) for g in given if g not in taken}
    there |= {(p.grantee, p.privilege, p.grantable) for p in before}
    granted = [
        p
        for p in after
        if (p.grantee, p.privilege, p.grantable) not in there
        and not (not p.grantable and (p.grantee, p.privilege) in narrowed_keys)
        and not (not p.grantable and (p.grantee, p.privilege, True) in there)
    ]
    found = list(revokes(where, taken, owner))
    for grantee, _, names in _by_grantee(revoked):
        found.append(f"REVOKE {_list(names, suffix)} ON {target} FROM {_role(grantee, owner)}")
    for grantee, _, names in _by_grantee(narrowed):
        found.append(
            f"REVOKE GRANT OPTION FOR {_list(names, suffix)} ON {target} FROM {_role(grantee, owner)}"
        )
    for grantee, grantable, names in _by_grantee(granted):
        option = " WITH GRANT OPTION" if grantable else ""
        found.append(f"GRANT {_list(names, suffix)} ON {target} TO {_role(grantee, owner)}{option}")
    return found


def revokes(where: tuple[str, str], taken: Sequence[Grant], owner: str) -> Iterator[str]:
    """REVOKE statements for entries of others than the owner, each by who has given it."""
    suffix, target = where
    for grant in taken:
        text = f"REVOKE {grant.privilege}{suffix} ON {target} FROM {_role(grant.grantee, owner)}"
        yield acting(grant.grantor, text)


def passed_on(where: tuple[str, str], given: Sequence[Grant], owner: str) -> Iterator[str]:
    """GRANT statements for the entries that others than the owner have given, each by who has given it."""
    suffix, target = where
    for grant in sorted(given, key=lambda g: (_depth(g, given), g)):
        if grant.grantor != OWNER and grant.reached:
            option = " WITH GRANT OPTION" if grant.grantable else ""
            to = _role(grant.grantee, owner)
            yield acting(grant.grantor, f"GRANT {grant.privilege}{suffix} ON {target} TO {to}{option}")


def taken_back(given: Sequence[Grant], after: Privileges) -> list[Grant]:
    """The entries of others than the owner that cannot stay, those that rest on others among them first.

    What is to go or to lose its grant option; and what was given by a role that loses the option for it.
    """
    held = {(p.grantee, p.privilege) for p in after}
    options = {(p.grantee, p.privilege) for p in after if p.grantable}

    def unwanted(grant: Grant) -> bool:
        return (grant.grantee, grant.privilege) not in (options if grant.grantable else held)

    gone = {g for g in given if unwanted(g)}
    # An option for the table lets a role grant on a column, whose entries do not tell of it.
    passing = {(g.grantee, g.privilege) for g in given if g.grantable}
    while True:
        able = {(g.grantee, g.privilege) for g in given if g.grantable and g not in gone}
        more = {g for g in given if g not in gone and (g.grantor, g.privilege) in passing - able}
        if not more:
            break
        gone |= more
    return sorted((g for g in gone if g.grantor != OWNER), key=lambda g: (-_depth(g, given), g))


def _depth(grant: Grant, given: Sequence[Grant]) -> int:
    """How many roles are between the owner and the entry; PostgreSQL lets nobody pass on what comes from himself."""
    if grant.grantor == OWNER:
        return 0
    above = [
        g for g in given if g.grantee == grant.grantor and g.privilege == grant.privilege and g.grantable
    ]
    return 1 + max((_depth(g, given) for g in above), default=0)


def acting(role: str, statement: str) -> str:
    """One statement that is run as another role: GRANTED BY accepts nobody but the current one (documentation, GRANT)."""
    return do_block([f"SET LOCAL ROLE {quote_ident(role)};", f"{statement};", "RESET ROLE;"])


def _by_grantee(privileges: Iterable[Privilege]) -> list[tuple[str, bool, list[str]]]:
    def key(p: Privilege) -> tuple[str, bool]:
        return p.grantee, p.grantable

    return [
        (grantee, grantable, [p.privilege for p in group])
        for (grantee, grantable), group in groupby(
            sorted(privileges, key=lambda p: (*key(p), p.privilege)), key
        )
    ]


def _list(names: list[str], suffix: str) -> str:
    return ", ".join(name + suffix for name in names)


def _role(grantee: str, owner: str) -> str:
    if grantee == PUBLIC:
        return "PUBLIC"
    return quote_ident(owner if grantee == OWNER else grantee)
