"""userlist.txt, read as pgbouncer reads it (load_auth_file() in pgbouncer's src/loader.c).

Only `;` starts a comment. At anything else that is not a `"`, such as a `#`, pgbouncer stops: users
after that place have no password, and RELOAD says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from novaops.diagnostics import Diagnostic, Source
from novaops.pgbouncer.names import LONGEST_SECRET

SPACE = " \t\n\v\f\r"
LONGEST_USER = 127
"""MAX_USERNAME of pgbouncer's include/bouncer.h, less the zero."""


@dataclass(frozen=True, slots=True)
class User:
    """A user and where it stands. The secret shows in no representation."""

    name: str
    secret: str
    source: Source

    def __repr__(self) -> str:
        return f"User({self.name!r}, {self.source})"


@dataclass(frozen=True, slots=True)
class Userlist:
    """What a file says; `problems` never show a line of it."""

    path: Path
    users: tuple[User, ...]
    problems: tuple[Diagnostic, ...]

    def secrets(self) -> dict[str, str]:
        """The secret of each user; of two equal names the last counts."""
        return {user.name: user.secret for user in self.users}

    def duplicates(self) -> list[tuple[User, User]]:
        """Entries that a later one overrides, with that one."""
        last = {user.name: user for user in self.users}
        return [(user, last[user.name]) for user in self.users if last[user.name] is not user]


def read_userlist(path: Path, text: str) -> Userlist:
    """Read the text of the file."""
    users: list[User] = []
    at = counted = lines = 0
    while True:
        while at < len(text) and text[at] in SPACE:
            at += 1
        if at >= len(text):
            return Userlist(path, tuple(users), ())
        if text[at] == ";":
            at = _line_end(text, at)
            continue
        start = at
        if text[at] != '"':
            return _stopped(path, text, start, users, _why(text[at]))
        name, at = _quoted(text, at + 1)
        opening = text.find('"', at) if name is not None else -1
        secret, at = _quoted(text, opening + 1) if opening >= 0 else (None, at)
        if name is None or secret is None:
            return _stopped(path, text, start, users, "a quote is not closed: pgbouncer stops reading here")
        if len(name.encode(errors="surrogateescape")) > LONGEST_USER:
            return _stopped(path, text, start, users, f"a user with more than {LONGEST_USER} bytes")
        if len(secret.encode(errors="surrogateescape")) > LONGEST_SECRET:
            return _stopped(path, text, start, users, f"a secret with more than {LONGEST_SECRET} bytes")
        lines += text.count("\n", counted, start)
        counted = start
        users.append(User(name, secret, _source(path, text, start, lines)))
        at = _line_end(text, at)


def _why(character: str) -> str:
    if character == "#":
        return "# starts no comment here: pgbouncer stops reading, and later users have no password"
    return 'pgbouncer expects " here and stops reading: later users have no password'


def _quoted(text: str, at: int) -> tuple[str | None, int]:
    """The text up to the closing quote, and the place behind it."""
    parts = []
    while (end := text.find('"', at)) >= 0:
        parts.append(text[at:end])
        if text[end + 1 : end + 2] != '"':
            return '"'.join(parts), end + 1
        at = end + 2
    return None, len(text)


def _stopped(path: Path, text: str, at: int, users: list[User], why: str) -> Userlist:
    hint = "write ; instead of #" if text[at] == "#" else None
    return Userlist(
        path, tuple(users), (Diagnostic(_source(path, text, at, text.count("\n", 0, at)), why, hint=hint),)
    )


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _source(path: Path, text: str, at: int, lines: int) -> Source:
    """The place `at`, before which the text has `lines` line ends."""
    return Source(str(path), lines + 1, at - text.rfind("\n", 0, at))
