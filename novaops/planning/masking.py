"""Statements and snapshots as they may be shown."""

from __future__ import annotations

from dataclasses import replace

from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.kinds.kind import Step
from novaops.kinds.secrecy import without_secrets


def masked(step: Step) -> str:
    """The statement with its secrets, which are literals, replaced."""
    text = step.sql
    for secret in step.secrets:
        text = text.replace(secret, step.mask)
    return text


def unrevealing(snapshot: Snapshot) -> Snapshot:
    """The snapshot without secrets: what they were is not compared."""
    objects = {a: without_secrets(o, registry()[o.kind].secret) for a, o in snapshot.objects.items()}
    return replace(snapshot, objects=objects)
