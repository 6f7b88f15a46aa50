"""Values that are never shown: which attributes hold them, and objects without them; not a kind itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from novaops.catalog.object import Object

MASKED = "********"
REVEALING = ("password", "passwd", "secret", "token", "key")
"""An option with one of these in its name is taken for a secret, whatever wrapper it belongs to."""
OPTIONS = "options"


def revealing(option: str) -> bool:
    """Whether an option of that name is taken for a secret."""
    return any(word in option.lower() for word in REVEALING)


def without_secrets(obj: Object, secret: Collection[str]) -> Object:
    """The object with `MASKED` for the attributes `secret`, and for options that are taken for secrets."""
    masked = {name: _masked(obj[name]) for name in secret if obj.attributes.get(name) is not None}
    options = obj.attributes.get(OPTIONS)
    if OPTIONS not in masked and isinstance(options, Mapping) and any(map(revealing, options)):
        masked[OPTIONS] = {name: MASKED if revealing(name) else value for name, value in options.items()}
    return replace(obj, attributes={**obj.attributes, **masked}) if masked else obj


def masked_attributes(obj: Object, secret: Collection[str]) -> frozenset[str]:
    """The attributes that `without_secrets` has changed: there is nothing to compare them with."""
    return frozenset(name for name in (*secret, OPTIONS) if _is_masked(obj.attributes.get(name)))


def _masked(value: Any) -> Any:
    return dict.fromkeys(value, MASKED) if isinstance(value, Mapping) else MASKED


def _is_masked(value: Any) -> bool:
    return value == MASKED or (isinstance(value, Mapping) and MASKED in value.values())
