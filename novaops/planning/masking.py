"""Statements as they may be shown."""

from __future__ import annotations

from novaops.kinds.kind import Step


def masked(step: Step) -> str:
    """The statement with its secrets, which are literals, replaced."""
    text = step.sql
    for secret in step.secrets:
        text = text.replace(secret, step.mask)
    return text
