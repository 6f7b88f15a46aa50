"""Who can see rows: queries that tell whether there are any, and policies; not a kind itself.

Emptiness is no danger: nothing is hidden where there is nothing.
"""

from __future__ import annotations

from collections.abc import Set

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_literal
from novaops.kinds import registry
from novaops.kinds.kind import Risk, Scene

PUBLIC = "PUBLIC"
SHOWN = "may be seen, or written, that were not"


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
    """For a policy that is made: a permissive one lets through what no other does."""
    if not policy["permissive"] or not _in_force(policy, scene):
        return []
    return [_shown(policy, scene)]


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
