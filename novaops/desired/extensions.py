"""Which extension provides a name that schema files use without creating the extension."""

from __future__ import annotations

from collections.abc import Mapping

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


def provider(name: str) -> str | None:
    """Return the extension that provides a type, operator class or function of this name."""
    return _BY_NAME.get(name)
