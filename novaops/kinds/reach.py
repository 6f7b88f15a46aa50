"""Who can see rows: queries that tell whether there are any, and policies; not a kind itself.

Emptiness is no danger: nothing is hidden where there is nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Set

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds import registry
from novaops.kinds.kind import Risk, Scene

PUBLIC = "PUBLIC"
SHOWN = "may be seen, or written, that were not"
HIDDEN = "would be hidden from everybody whom no policy lets through"
COMMANDS = frozenset("rawd")
"""`pg_policy.polcmd` of the commands, each for itself."""


def any_row(relation: str) -> str:
    """Query that tells whether the relation shows a row."""
    return f"SELECT EXISTS (SELECT FROM {relation})"


def publishes_changes(table: str) -> str:
    """Query that tells whether subscribers get updates or deletes of the table, which the replica identity is for."""
    name = "pg_catalog.format('%I.%I', t.schemaname, t.tablename)"
    return (
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_publication_tables t JOIN pg_catalog.pg_publication p USING (pubname)"
        f" WHERE (p.pubupdate OR p.pubdelete) AND {name} = {quote_literal(table)})"
    )


def rows_of_container(obj: Object, scene: Scene) -> str | None:
    """The same for the table of a trigger, rule or policy; None where it is no table (a view keeps no rows)."""
    table = scene.live.objects.get(obj.parent) if obj.parent else None
    return any_row(table.identity) if table and registry()[table.kind].rows else None


def opened_by(policy: Object, scene: Scene) -> list[Risk]:
    """For a policy that is made: a permissive one lets through what no other does, a restrictive one keeps back."""
    if not _in_force(policy, scene):
        return []
    if policy["permissive"]:
        return [_shown(policy, scene)]
    table, rows = scene.live[policy.parent] if policy.parent else None, rows_of_container(policy, scene)
    if table is None or rows is None or _true(policy):
        return []
    # The roles are those of the policy, whoever is named beside.
    whom = [] if PUBLIC in policy["roles"] else policy["roles"]
    held = _held_back(table, among=whom, owner=table["force_row_security"])
    return [Risk("access-loss", policy.identity, "rows", f"{rows} AND ({held})", says=HIDDEN)]


def shut_by(old: Object, new: Object, rows: str, scene: Scene) -> list[Risk]:
    """For a table whose row security is turned on, or forced on its owner; `rows` tells whether there are any."""
    enabled = new["row_security"] and not old["row_security"]
    forced = new["row_security"] and new["force_row_security"] > (old["force_row_security"] and not enabled)
    through = let_through(new, scene)
    if PUBLIC in through or not (enabled or forced):
        return []
    held = _held_back(old, but=through, others=enabled, owner=forced)
    return [Risk("access-loss", old.identity, "rows", f"{rows} AND ({held})", says=HIDDEN)]


def let_through(table: Object, scene: Scene) -> frozenset[str]:
    """Roles, quoted or PUBLIC, from whom the policies that are to be keep no row and no command."""
    policies = [o for o in scene.desired.children.get(table.address, ()) if o.kind == "policy"]
    if any(not policy["permissive"] and not _true(policy) for policy in policies):
        return frozenset()
    allowed: dict[str, set[str]] = {PUBLIC: set()}
    for policy in policies:
        if policy["permissive"] and _true(policy):
            for role in policy["roles"]:
                allowed.setdefault(role, set()).update(
                    COMMANDS if policy["command"] == "*" else policy["command"]
                )
    return frozenset(role for role, commands in allowed.items() if commands | allowed[PUBLIC] >= COMMANDS)


def _true(policy: Object) -> bool:
    """Whether its conditions are true for every row; without its own, what is written meets the one for reading."""
    return {policy["using"], policy["with_check"]} <= {"true", None}


def holders(relation: str, condition: str) -> str:
    """Condition: somebody but the owner, PUBLIC included, has a right on the relation, or a column of it.

    In `condition` c is its `pg_class`, g.grantee the role, and r its `pg_roles`, NULL for PUBLIC.
    """
    return (
        "EXISTS (SELECT FROM pg_catalog.pg_class c CROSS JOIN LATERAL ("
        "SELECT (pg_catalog.aclexplode(c.relacl)).grantee UNION ALL SELECT (pg_catalog.aclexplode(a.attacl)).grantee"
        " FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid) g LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee"
        f" WHERE c.oid = {quote_literal(relation)}::regclass AND g.grantee <> c.relowner AND {condition})"
    )


def _held_back(
    table: Object,
    *,
    among: Collection[str] = (),
    but: Collection[str] = (),
    others: bool = True,
    owner: bool = False,
) -> str:
    """Condition: row security holds for somebody who has a right on the table.

    That is, `others` than its owner, or the `owner`; of the members of `among`, if any are named, and none of those of
    `but`. Superusers and roles with BYPASSRLS see all, and whoever has the owner's rights does unless it is forced
    (documentation, section 5.9).
    """
    bound = "NOT (r.rolsuper OR r.rolbypassrls)"
    if among:
        # What a role is granted reaches those who have it.
        bound += f" AND ({_any('r.oid, n', among)} OR {_any('n, r.oid', among)})"
    if but:
        bound += f" AND NOT {_any('r.oid, n', but)}"
    found = []
    if others:
        no_owner = "NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE')"
        found.append(holders(table.identity, f"(r.oid IS NULL OR ({bound} AND {no_owner}))"))
        everything = (
            "r.oid = m.member AND m.roleid IN ('pg_read_all_data'::regrole, 'pg_write_all_data'::regrole)"
        )
        found.append(
            f"EXISTS (SELECT FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_auth_members m ON {everything} WHERE {bound})"
        )
    if owner:
        of_table = f"SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = {quote_literal(table.identity)}::regclass"
        found.append(f"EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = ({of_table}) AND {bound})")
    return " OR ".join(found)


def _any(pair: str, roles: Collection[str]) -> str:
    """Condition: the first of the `pair` has the rights of the second, n being one of the roles that are there."""
    listed = ", ".join(f"pg_catalog.to_regrole({quote_literal(role)})::oid" for role in sorted(roles))
    return f"EXISTS (SELECT FROM pg_catalog.unnest(ARRAY[{listed}]) AS n WHERE pg_catalog.pg_has_role({pair}, 'USAGE'))"


def dropped(policy: Object, scene: Scene) -> list[Risk]:
    """For a policy that goes for good."""
    if policy.address in scene.desired or not _in_force(policy, scene):
        return []
    return [_shut(policy, scene) if policy["permissive"] else _shown(policy, scene)]


def changed_to(old: Object, new: Object, changed: Set[str], scene: Scene) -> list[Risk]:
    """For a policy that changes; whether another condition is met by more rows nobody can tell."""
    if not _in_force(old, scene):
        return []
    if changed & {"permissive", "command", "using", "with_check"}:
        return [_shown(old, scene)]
    before, after = set(old["roles"]), set(new["roles"])
    more = PUBLIC not in before and not after <= before
    fewer = PUBLIC not in after and not before <= after
    opens, shuts = (more, fewer) if new["permissive"] else (fewer, more)
    return [*([_shown(old, scene)] * opens), *([_shut(old, scene)] * shuts)]


def _in_force(policy: Object, scene: Scene) -> bool:
    """Whether row security is on, and stays so: if not, that is told of the table."""
    tables = [
        side.objects.get(policy.parent) if policy.parent else None for side in (scene.live, scene.desired)
    ]
    return all(table is not None and table["row_security"] for table in tables)


def _shown(policy: Object, scene: Scene) -> Risk:
    return Risk("row-security", policy.identity, "rows", exists=rows_of_container(policy, scene), says=SHOWN)


def _shut(policy: Object, scene: Scene) -> Risk:
    return Risk("access-loss", policy.identity, "access to rows", exists=rows_of_container(policy, scene))
