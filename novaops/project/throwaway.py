"""The throwaway database that files are executed in, and that plans are rehearsed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from novaops.db.session_settings import read_like
from novaops.desired.shadow import created, shadow
from novaops.desired.shadow_cluster import cluster_like


@contextmanager
def throwaway(target: psycopg.Connection[Any], place: str) -> Iterator[psycopg.Connection[Any]]:
    """An empty database at `place` (`Options.shadow`); one that somebody else made is left as it was.

    Its session reads constants as one of the target does.
    """
    with _made(target, place) as connection:
        read_like(connection, target)
        yield connection


@contextmanager
def _made(target: psycopg.Connection[Any], place: str) -> Iterator[psycopg.Connection[Any]]:
    match place:
        case "server":
            with shadow(target) as connection:
                yield connection
        case "embedded":
            with cluster_like(target) as cluster, created(make_conninfo(**cluster)) as connection:
                yield connection
        case url:
            with shadow(target, url) as connection:
                yield connection
