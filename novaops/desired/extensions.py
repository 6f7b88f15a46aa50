"""Which extension provides a name that schema files use without creating the extension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from novaops.db.identifiers import quote_ident

# From the install scripts of the extensions: types, operator classes and functions that schemas refer to.
PROVIDED: Mapping[str, tuple[str, ...]] = {
    "vector": ("vector", "halfvec", "sparsevec", "vector_cosine_ops", "vector_l2_ops", "vector_ip_ops"),
    "pg_trgm": ("gin_trgm_ops", "gist_trgm_ops", "similarity", "word_similarity"),
    "citext": ("citext",),
    "hstore": ("hstore",),
    "ltree": ("ltree", "lquery", "ltxtquery"),
    "cube": ("cube",),
    "postgis": ("geometry", "geography"),
    "pgcrypto": ("gen_salt", "crypt", "digest", "hmac", "gen_random_bytes"),
    "uuid-ossp": ("uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuid_generate_v5"),
    "unaccent": ("unaccent",),
}
_BY_NAME = {name: extension for extension, names in PROVIDED.items() for name in names}


@dataclass(frozen=True, slots=True)
class Provider:
    """An extension that provides a name; `schema` is where the target has it, None where it is not installed."""

    extension: str
    schema: str | None = None

    def hint(self, name: str, *, here: bool) -> str:
        """Return what to do where the name does not exist; `here` says that the shadow has the extension."""
        if self.schema is None:
            return (
                f"the extension {self.extension} provides {name}; add to the files:"
                f" CREATE EXTENSION IF NOT EXISTS {quote_ident(self.extension)};"
            )
        there = f"the extension {self.extension} is installed in the target, and provides {name}"
        schema = quote_ident(self.schema)
        if here:
            return f"{there} in schema {schema}: write {schema}.{quote_ident(name)}, or set search_path in the files"
        return f"{there}; the shadow lacks it: use --shadow server, or --shadow URL of a database that has it"


Providers = Callable[[str], Provider | None]
"""Tells which extension provides a type, operator class or function of a name."""


def known_provider(name: str) -> Provider | None:
    """Return the extension that is known to provide the name."""
    return Provider(_BY_NAME[name]) if name in _BY_NAME else None


def provider(target: psycopg.Connection[Any], name: str) -> Provider | None:
    """Return the extension that provides the name: of those that the target has, could create, or that are known."""
    query = files("novaops.desired").joinpath("extensions.sql").read_text(encoding="utf-8")
    row = target.cursor(row_factory=tuple_row).execute(query.encode(), {"name": name}).fetchone()
    return known_provider(name) if row is None else Provider(*row)
