"""What a plan says beside its changes: what stays as it is, and what nobody can tell beforehand."""

from __future__ import annotations

from collections.abc import Iterator

from novaops.catalog.privileges import GRANTS
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.db.locks import LockTable
from novaops.invocation import command_line
from novaops.kinds.grants import taken_back
from novaops.planning.draft import Draft
from novaops.planning.hazards import Assessment
from novaops.planning.nodes import kind_of
from novaops.planning.privileges import PrivilegeMode, wanted
from novaops.planning.request import Request

NAMED = 5
"""How many objects a notice lists."""


def unread(live: Snapshot, desired: Snapshot) -> list[str]:
    """Attributes that are not compared, as the server keeps them from the role."""
    found = {
        f"{attribute.replace('_', ' ')} of {obj.address.type} {obj.identity}"
        for snapshot in (live, desired)
        for obj in snapshot
        for attribute in kind_of(obj).unread(obj)
    }
    return sorted(found)


def beyond(request: Request) -> Iterator[str]:
    """What stays another way than the files have it, as PostgreSQL has no statement for it."""
    for address, new in sorted(request.goal.objects.items()):
        old = request.live.objects.get(address)
        if old is not None and old.kind == new.kind and not request.scope.excluded(new, request.goal):
            said = kind_of(new).beyond(old, new).values()
            yield from (f"{text}: PostgreSQL has no statement to change that" for text in said if text)


def out_of_reach(request: Request) -> Iterator[str]:
    """Privileges that stay although the files do not have them, since the role may not act as who gave them."""
    for address, new in sorted(request.goal.objects.items()):
        old = request.live.objects.get(address)
        if old is None or GRANTS not in old.facts or request.scope.excluded(new, request.goal):
            continue
        how = request.comparison
        goal = wanted(old, new, how.privileges, how.ignored, how.owners, how.own)
        for grant in taken_back(old.facts[GRANTS], goal) if goal is not None else ():
            if not grant.reached:
                yield (
                    f"{new.identity}: {grant.privilege} of {grant.grantee or 'PUBLIC'} stays, as"
                    f" {quote_ident(grant.grantor)} gave it and the role that applies cannot act as"
                    f" {quote_ident(grant.grantor)}: apply as a member of that role, or REVOKE … CASCADE by hand"
                )


def not_compared(request: Request) -> Iterator[str]:
    """Objects whose privileges stay as they are, as the files give none on them, though they do on others (`auto`)."""
    if request.comparison.privileges is not PrivilegeMode.AUTO:
        return
    carrying = (o for o in request.goal if o.privileges is not None and not kind_of(o).supplied)
    declared = [o for o in carrying if o.address in request.places or o.parent in request.places]
    silent = [
        new.identity
        for new in sorted(declared, key=lambda o: o.address)
        if new.privileges == new.default_privileges
        and (old := request.live.objects.get(new.address)) is not None
        and old.privileges not in (None, old.default_privileges)
        and not request.scope.excluded(new, request.goal)
    ]
    if silent and any(o.privileges != o.default_privileges for o in declared):
        more = f" and {len(silent) - NAMED:,} more" if len(silent) > NAMED else ""
        yield (
            f"privileges on {', '.join(silent[:NAMED])}{more} are not compared, as the files give none:"
            " REVOKE what is too much, or plan with --privileges managed"
        )


def firing(request: Request, made: Draft) -> Iterator[str]:
    """What runs for statements of the plan and may refuse them."""
    for obj in request.live if made.written else ():
        if (event := kind_of(obj).fires(obj)) is not None and not request.scope.excluded(obj, request.live):
            yield (
                f"{kind_of(obj).name} {obj.identity} fires {event}, also for what this plan runs, and may refuse it;"
                f" {command_line('apply', '--no-event-triggers')} turns event triggers off meanwhile (PostgreSQL 17,"
                " superuser)"
            )


def crowded(made: Draft, locks: LockTable) -> Iterator[str]:
    """What is to be known where the lock table of the server is small for what is planned."""
    if made.full:
        yield (
            f"more locks than one transaction may hold here ({locks.room:,}): it takes {made.full + 1} of them,"
            " and what one has committed stays when a later one fails"
        )
    for written in made.written:
        if written.locks > locks.size:
            yield (
                f"{written.step.sql.partition(chr(10))[0]}: about {written.locks:,} locks at once, and the server"
                f" has room for {locks.size:,}; set max_locks_per_transaction, now {locks.per_transaction},"
                f" to {locks.setting_for(written.locks)} there and restart it"
            )


def untold(found: Assessment) -> Iterator[str]:
    """What may fail although no hazard says so."""
    for subject in found.unknown:
        yield (
            f"{subject}: whether the rows satisfy it cannot be told beforehand (it takes long, or needs what the plan"
            " makes); if not, the statement that reads them fails, and what was committed before stays"
        )
