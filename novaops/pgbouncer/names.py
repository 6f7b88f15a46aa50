"""Names and values as pgbouncer's files can hold them, and the reason where they cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass

from novaops.errors import NovaopsError
from novaops.pgbouncer.version import OLDEST, Version

LONGEST = 63
"""Bytes of a name. pgbouncer reserves 64 with the final zero; PostgreSQL cuts longer ones off."""
LONGEST_SECRET = 2047
"""Bytes of a password in userlist.txt (MAX_PASSWORD in pgbouncer's include/bouncer.h, less the zero)."""
RESERVED = "pgbouncer"
"""The console's database (check_reserved_database() in pgbouncer's src/util.c)."""
EVERYTHING = "*"
"""The entry that stands for every database that has none of its own."""
# cf. parse_ini_file() in libusual's usual/cfparser.c: isalnum() or one of "_.-*".
PLAIN_KEY = re.compile(r"[A-Za-z0-9_.*-]+")
# What cstr_get_value() in pgbouncer's src/loader.c takes without quotes is more; this is what people write.
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_./:,+@%-]+")
CONTROL = re.compile("[\x00-\x1f\x7f]")
PASSWORD = re.compile("[\x00\n\r]")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something cannot be written; `hint` is the way out."""

    reason: str
    hint: str

    def error(self, what: str) -> NovaopsError:
        return NovaopsError(f"{what}: {self.reason}", hint=self.hint)


def refuse_alias(name: str, version: Version = OLDEST) -> Refused | None:
    """Why the name cannot be an alias, an entry of [databases]; None where it can."""
    if name == RESERVED:
        return Refused("that is the database of pgbouncer's console", "choose another name")
    if name == EVERYTHING:
        return Refused(
            "* would stand for every database of the server, and hide misspelled names",
            "make an alias for each agent",
        )
    if common := _refuse(name):
        return common
    if not PLAIN_KEY.fullmatch(name) and not version.quotes_keys:
        bad = next(c for c in name if not PLAIN_KEY.fullmatch(c))
        return Refused(
            f"pgbouncer {version} cannot read {bad!r} in the name of a database; "
            "letters of ASCII, digits and _ . - * are all it takes (1.25 and later take more)",
            "choose another name, with --alias NAME",
        )
    return None


def refuse_name(name: str) -> Refused | None:
    """Why the name of a database or role of the server cannot be written as a value."""
    return _refuse(name)


def refuse_secret(secret: str) -> Refused | None:
    """Why the password or verifier cannot be written to userlist.txt. The reason does not show it."""
    if not secret:
        return Refused("an empty password never lets anybody in", "give one that is not empty")
    if PASSWORD.search(secret):
        return Refused("the password holds a line break or a zero byte", "give one without")
    # An escaped quote takes two bytes of pgbouncer's buffer before it is unescaped.
    if len(secret.replace('"', '""').encode(errors="surrogateescape")) > LONGEST_SECRET:
        return Refused(f"the password is longer than {LONGEST_SECRET} bytes", "give a shorter one")
    return None


def _refuse(name: str) -> Refused | None:
    if not name:
        return Refused("the name is empty", "give one")
    if found := CONTROL.search(name):
        return Refused(
            f"the name holds the control character {found[0]!r}, which ends or garbles a line",
            "choose a name without",
        )
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return Refused("the name is not valid Unicode", "choose another name")
    if size > LONGEST:
        return Refused(f"the name has {size} bytes; {LONGEST} are the most", "choose a shorter name")
    return None


def quote_key(name: str, version: Version = OLDEST) -> str:
    """The name as a key of the ini; raises `NovaopsError` where the version has no way to write it."""
    if refused := refuse_alias(name, version):
        raise refused.error(f"{name!r} cannot be an alias")
    return name if PLAIN_KEY.fullmatch(name) else _in_quotes(name)


def quote_value(value: str) -> str:
    """The value of a `key=value` pair in an entry of [databases]."""
    if not value or CONTROL.search(value):
        raise NovaopsError(
            f"{value!r} cannot be written to pgbouncer.ini",
            detail="a value is neither empty nor holds a control character",
            hint="choose another",
        )
    return value if PLAIN_VALUE.fullmatch(value) else _in_quotes(value)


def quote_user(text: str) -> str:
    """A user or a secret as userlist.txt holds it."""
    return '"' + text.replace('"', '""') + '"'


def _in_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
