"""Object kinds: one module and one .sql each, found here by name and by nothing else."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from inspect import isclass

from novaops.kinds.kind import Kind


@cache
def registry() -> Mapping[str, Kind]:
    """All kinds by name, in order of rank; a subclass of Kind without a name is a base of some."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        loaded = import_module(f"{__name__}.{module.name}")
        found += [
            c()
            for c in vars(loaded).values()
            if isclass(c) and issubclass(c, Kind) and c.__module__ == loaded.__name__ and hasattr(c, "name")
        ]
    return {kind.name: kind for kind in sorted(found, key=lambda k: (k.rank, k.name))}
