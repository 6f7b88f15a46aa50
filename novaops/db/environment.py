"""Connections whose parameters are complete: libpq's environment variables add nothing to them.

libpq takes a parameter that a connection string does not name from a service file or the environment
(documentation, "Environment Variables"), and prefers PGPASSWORD to any password file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any

import psycopg
from psycopg import pq

COMPLETE: Mapping[str, str] = {"service": ""}
"""Added to parameters, it says that they are complete: an empty service is not looked up."""

_LOCK = RLock()
# Where service files are is no connection parameter, so libpq does not list these two.
_FILES = ("PGSERVICEFILE", "PGSYSCONFDIR")


def parameters(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return the complete parameters, password included, to open another connection like this one."""
    info = connection.info
    known = {name: str(value) for name, value in info.get_parameters().items()}
    if info.password:
        known["password"] = info.password
    return known if known.get("service") else {**known, **COMPLETE}


def is_complete(known: Mapping[str, Any]) -> bool:
    """Tell whether the environment may not add to these parameters."""
    return known.get("service") == COMPLETE["service"]


@contextmanager
def without_libpq_variables() -> Iterator[None]:
    """Hide libpq's environment variables from a connection that is opened meanwhile."""
    names = [*(os.fsdecode(o.envvar) for o in pq.Conninfo.get_defaults() if o.envvar), *_FILES]
    with _LOCK:
        hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
        try:
            yield
        finally:
            os.environ.update(hidden)
