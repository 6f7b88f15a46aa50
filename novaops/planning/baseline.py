"""What a database has before anything was done to it: template0."""

from __future__ import annotations

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import OWNER, PUBLIC, Privilege
from novaops.catalog.snapshot import Snapshot

_OWNERS = frozenset({Privilege(OWNER, "USAGE"), Privilege(OWNER, "CREATE")})

# Since PostgreSQL 15 initdb makes `public` so (src/bin/initdb/initdb.c, setup_privileges; namespace.dat).
PUBLIC_SCHEMA = Object(
    address=Address("schema", ("public",)),
    kind="schema",
    identity="public",
    schema="public",
    name="public",
    attributes={},
    owner="pg_database_owner",
    privileges=_OWNERS | {Privilege(PUBLIC, "USAGE")},
    default_privileges=_OWNERS,
    comment="standard public schema",
)


def empty(version: int, role: str) -> Snapshot:
    """Snapshot of a database fresh from template0, as `role` sees it."""
    return Snapshot({PUBLIC_SCHEMA.address: PUBLIC_SCHEMA}, version=version, role=role)
