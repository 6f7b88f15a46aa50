"""One short value for the state of a set of objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from novaops.catalog.object import Object


def fingerprint(objects: Iterable[Object]) -> str:
    """SHA-256 over everything that is compared; equal on every server that holds the same objects."""
    digest = hashlib.sha256()
    encoder = json.JSONEncoder(sort_keys=True, default=_plain)
    for obj in sorted(objects, key=lambda o: o.address):
        state = [
            obj.kind,
            obj.address.type,
            obj.address.names,
            obj.address.args,
            dict(obj.attributes),
            obj.owner,
            sorted((p.grantee, p.privilege, p.grantable) for p in obj.privileges or ()),
            obj.comment,
            dict(obj.labels),
            sorted(obj.extensions),
        ]
        digest.update(encoder.encode(state).encode())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else str(value)
