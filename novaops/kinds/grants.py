"""The GRANT and REVOKE that lead from one set of privileges to another; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from novaops.catalog.privileges import OWNER, PUBLIC, Privilege
from novaops.db.identifiers import quote_ident

Privileges = frozenset[Privilege]


def grants(where: tuple[str, str], before: Privileges, after: Privileges, owner: str) -> list[str]:
    """REVOKE and GRANT statements from `before` to `after`.

    `where` is what `Kind.grant_target` returns, `owner` the role that OWNER stands for.
    """
    suffix, target = where
    kept = {(p.grantee, p.privilege) for p in after}
    options = {(p.grantee, p.privilege) for p in after if p.grantable}
    revoked = [p for p in before if (p.grantee, p.privilege) not in kept]
    narrowed = [
        p for p in before if p.grantable and p not in revoked and (p.grantee, p.privilege) not in options
    ]
    narrowed_keys = {(p.grantee, p.privilege) for p in narrowed}
    granted = [
        p
        for p in after
        if p not in before and not (not p.grantable and (p.grantee, p.privilege) in narrowed_keys)
    ]
    found = []
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
