"""What a change does to those who may use an object: what its privileges end as, who loses some, who gains some.

An object that is made anew starts without the privileges of the old one, and so does one that takes the name of an
object of another kind (a materialized view that was a view). To those who use it both are the object that was there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from novaops.catalog.object import Object
from novaops.catalog.privileges import OWNER, PUBLIC, Privilege
from novaops.db.identifiers import quote_literal
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.privileges_only import PrivilegesOnly
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.diff import Comparison
from novaops.planning.nodes import kind_of
from novaops.planning.privileges import wanted


def settled(change: Change, scene: Scene, comparison: Comparison) -> Change:
    """The change, its new object with the privileges that it will end with."""
    match change:
        case Drop():
            return change
        case Create(new):
            old = kind_of(new).formerly(new, scene)
        case Replace(old, new):
            pass
        case Alter(old, new):
            goal = old.privileges if change.privileges is None else change.privileges
            return replace(change, new=replace(new, privileges=goal))
    goal = wanted(old, new, comparison.privileges, comparison.ignored, comparison.owners, comparison.own)
    return replace(change, new=replace(new, privileges=goal))


def by_name(changes: Iterable[Change]) -> Mapping[tuple[object, ...], Object]:
    """Objects that are new and carry privileges, by the letter of `acldefault()` and the names that they take.

    Where one routine of a name goes and one comes, that is found by the type and name alone.
    """
    changes = list(changes)
    new = [c.new for c in changes if isinstance(c, Create) and c.new.privileges is not None]
    found: dict[tuple[object, ...], Object] = {
        (kind_of(o).acl_type, name): o for o in new for name in kind_of(o).names(o)
    }
    gone = Counter(c.old.address[:2] for c in changes if isinstance(c, Drop))
    came = Counter(o.address[:2] for o in new)
    # One that takes other arguments is another object, and the same one to those who call it.
    alone = (o for o in new if gone[o.address[:2]] == came[o.address[:2]] == 1)
    found.update({o.address[:2]: o for o in alone})
    return found


def _beside_initial(
    kind: PrivilegesOnly, change: Create | Drop, scene: Scene
) -> tuple[Object, Object] | None:
    """The privileges before and after, of an object that does not exist where they are those of everything."""
    if isinstance(change, Drop):
        return change.old, kind.holding(change.old, kind.initial(change.old))
    new = change.new
    # Nobody has used yet what the plan creates, and what others will create.
    if kind.future or (new.parent is not None and scene.creates(new.parent)):
        return None
    return kind.holding(new, kind.initial(new)), new


def both(
    change: Change, scene: Scene, new: Mapping[tuple[object, ...], Object]
) -> tuple[Object, Object] | None:
    """What people use by one name before the change, and after it; None where they do not at both times."""
    match change:
        case Alter(old, after) | Replace(old, after):
            return old, after
        case Create(after) | Drop(after) if isinstance(kind := kind_of(after), PrivilegesOnly):
            return _beside_initial(kind, change, scene)
        case Drop(old):
            keys = [(kind_of(old).acl_type, name) for name in kind_of(old).names(old)]
            keys.append(old.address[:2])
            taken = next((new[key] for key in keys if key in new), None)
            return (old, taken) if taken is not None else None
        case Create(after):
            formerly = kind_of(after).formerly(after, scene)
            return (formerly, after) if formerly is not None else None


def revoked(old: Object, new: Object) -> str | None:
    """What is taken from whom, in words."""
    kind = kind_of(new)
    alone = kind if isinstance(kind, PrivilegesOnly) else None
    before, after = (alone.held(o) if alone else o.privileges or frozenset() for o in (old, new))
    kept = {(p.grantee, p.privilege) for p in after}
    lost = {(p.grantee, p.privilege) for p in before} - kept
    pairs = ", ".join(f"{privilege} of {grantee or 'PUBLIC'}" for grantee, privilege in sorted(lost))
    on = " on objects to come" if alone and alone.future else ""
    return f"revokes {pairs}{on}".replace(OWNER, "the owner") if pairs else None


def handed_over(change: Change) -> Iterator[Risk]:
    """What its owner may do, where another one gets it; members of that may go on, and so may superusers."""
    if not isinstance(change, Alter) or not change.owner or not kind_of(change.new).owned:
        return
    if change.old.owner and change.new.owner:
        pair = f"{quote_literal(change.old.owner)}, {quote_literal(change.new.owner)}"
        exists = f"SELECT NOT pg_catalog.pg_has_role({pair}, 'USAGE')"
        yield Risk("access-loss", change.new.identity, f"what {change.old.owner} may do as its owner", exists)


def widened(old: Object, new: Object) -> Iterator[Risk]:
    """Rights on what is there that everybody gets, or that may be passed on to everybody."""
    held = old.privileges or frozenset[Privilege]()
    known = {(p.grantee, p.privilege) for p in held}
    given = [
        p
        for p in (new.privileges or frozenset()) - held
        if (p.grantee == PUBLIC and (p.grantee, p.privilege) not in known)
        or (p.grantable and p.grantee != OWNER)
    ]
    exists = kind_of(new).reached(new) if given else None
    if exists is not None:
        what = ", ".join(f"{p.privilege} to {p.grantee or 'PUBLIC'}" for p in sorted(given))
        yield Risk("access-grant", new.identity, what, exists, says="would be granted")
