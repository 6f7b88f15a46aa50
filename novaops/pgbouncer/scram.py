"""SCRAM-SHA-256 verifiers, as pg_authid and userlist.txt hold them (RFC 5803)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Literal

VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")
MD5 = re.compile(r"md5[0-9a-f]{32}")
Kind = Literal["scram", "md5", "plain", "empty"]


def kind_of(secret: str) -> Kind:
    """What the text is to PostgreSQL and to pgbouncer (get_password_type() in src/backend/libpq/crypt.c)."""
    if not secret:
        return "empty"
    if VERIFIER.fullmatch(secret):
        return "scram"
    return "md5" if MD5.fullmatch(secret) else "plain"


def masked(secret: str) -> str:
    """What may be shown of a secret: its kind."""
    return {"scram": "SCRAM-SHA-256$…", "md5": "md5…", "plain": "a password", "empty": '""'}[kind_of(secret)]


def matches(password: str, verifier: str, user: str) -> bool | None:
    """Whether the password is that of the verifier; None where this code cannot tell.

    Without SASLprep (RFC 4013), which changes no ASCII: None for other passwords that do not match.
    """
    if MD5.fullmatch(verifier):
        digest = hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(f"md5{digest}", verifier)
    found = VERIFIER.fullmatch(verifier)
    if found is None:
        return None
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(found[2]), int(found[1]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored = base64.b64encode(hashlib.sha256(client_key).digest()).decode()
    if hmac.compare_digest(stored, found[3]):
        return True
    return False if password.isascii() else None
