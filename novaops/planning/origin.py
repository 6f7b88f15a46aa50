"""Whether a difference comes from the files, from the database, or from both, since the last apply."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.planning.changes import Change, Replace
from novaops.planning.plan import LastRun
from novaops.planning.scope import Scope

BYTES = 6
"""Of a hash: of a million objects, one in 280 million changes goes unnoticed."""


@dataclass(frozen=True, slots=True)
class LastApplied:
    """The database as the last run left it that converged: `states` are hashes by address."""

    run: int
    at: datetime
    version: int
    states: Mapping[Address, tuple[str, str]] = field(repr=False)
    declared: frozenset[Address] | None = field(default=None, repr=False)
    """Those that the files declared; None where novaops did not record that yet."""

    @property
    def place(self) -> LastRun:
        """How people are told of it."""
        return LastRun(self.run, f"{self.at:%Y-%m-%d}")


def digest(live: Snapshot, scope: Scope, declared: Callable[[Object], bool]) -> bytes:
    """What is remembered of a database: each object's address, hashes of what it is and of its privileges, and whether
    the files declare it.
    """
    objects = [[*o.address, *state(o), declared(o)] for o in live if not scope.excluded(o, live)]
    text = json.dumps([live.version // 10000, objects], separators=(",", ":"), ensure_ascii=False)
    return zlib.compress(text.encode())


def last_applied(run: int, at: datetime, remembered: bytes) -> LastApplied:
    """What `digest()` has remembered."""
    version, objects = json.loads(zlib.decompress(remembered))
    states = {}
    declared = set()
    for kind, names, args, what, privileges, *flag in objects:
        address = Address(kind, tuple(names), tuple(args))
        states[address] = what, privileges
        if flag == [True]:
            declared.add(address)
    told = not objects or len(objects[0]) > 5
    return LastApplied(run, at, version, states, frozenset(declared) if told else None)


def origins(
    last: LastApplied | None, live: Snapshot, desired: Snapshot, changes: Mapping[Address, Change]
) -> dict[Address, str]:
    """Of each change: "file", "live" or "both"; empty where there is nothing to compare with.

    Deparsed text differs between major versions, so a state of another one is not compared.
    """
    if last is None or last.version != live.version // 10000:
        return {}
    return {address: _origin(address, last, live, desired, changes) for address in changes}


def _origin(
    address: Address,
    last: LastApplied,
    live: Snapshot,
    desired: Snapshot,
    changes: Mapping[Address, Change],
) -> str:
    before = last.states.get(address)
    here, declared = (_known(address, snapshot) for snapshot in (live, desired))
    moved = here != before
    # What the files say of owners and privileges depends on the mode, so only what an object is counts.
    declared_anew = (declared or [None])[0] != (before or [None])[0]
    if moved or declared_anew:
        return "both" if moved and declared_anew else "live" if moved else "file"
    change = changes[address]
    because = change.because if isinstance(change, Replace) else None
    if because is not None and because in changes:
        return _origin(because, last, live, desired, changes)
    return "file"


def _known(address: Address, snapshot: Snapshot) -> tuple[str, str] | None:
    obj = snapshot.objects.get(address)
    return None if obj is None else state(obj)


def state(obj: Object) -> tuple[str, str]:
    """Hashes of what the object is, and of who may do what with it."""
    privileges = sorted((p.grantee, p.privilege, p.grantable) for p in obj.privileges or ())
    return _hash([dict(obj.attributes), obj.comment, dict(obj.labels), sorted(obj.extensions)]), _hash(
        privileges
    )


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=_plain)
    hashed = hashlib.blake2b(text.encode(), digest_size=BYTES).digest()
    return base64.b64encode(hashed).decode()


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)
