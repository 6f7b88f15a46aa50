"""Which secret each user needs in userlist.txt, and where it comes from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from novaops.db.identifiers import quote_ident
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.pgbouncer.names import refuse_secret
from novaops.pgbouncer.render import is_whole, outside, own_users
from novaops.pgbouncer.scram import kind_of, matches
from novaops.pgbouncer.server import Role
from novaops.pgbouncer.userlist import read_userlist

FROM_SERVER = "from the server"
AS_GIVEN = "as given"
KEPT = "kept; not compared with the server"


@dataclass(frozen=True, slots=True)
class Secrets:
    """`own` is what novaops writes, `origins` says where it is from; neither shows in a representation."""

    own: Mapping[str, str]
    origins: Mapping[str, str]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Secrets({list(self.own)})"


@dataclass(frozen=True, slots=True)
class Known:
    """What the servers say: the roles by name, and why there is nothing to read where it is None."""

    roles: Mapping[str, Role | None] | None
    why: str = ""


class _Missing(Exception):
    """Why a user gets no secret."""

    def __init__(self, error: NovaopsError) -> None:
        super().__init__(error.message)
        self.error = error


def resolve(
    users: Collection[str],
    known: Mapping[str, Known],
    given: Mapping[str, str],
    userlist: str | None,
    path: Path,
    auth_type: str,
    focus: Collection[str],
    plain: Collection[str] = (),
) -> Secrets:
    """The secret of each of `users`; those of `plain` get the password that was given, not its verifier.

    A user of `focus` that cannot have one is an error (`NovaopsError`); of the others novaops keeps what it
    has, and says so.
    """
    text = userlist or ""
    own_now = own_users(text, path) if userlist is not None else {}
    by_hand = {u.name: u for u in read_userlist(path, outside(text)).users} if not is_whole(text) else {}
    own: dict[str, str] = {}
    origins: dict[str, str] = {}
    notes: list[str] = []
    for user in users:
        hand = by_hand.get(user)
        kept = own_now.get(user) or (hand.secret if hand else "")
        try:
            secret, origin = _secret(user, known[user], given.get(user), kept, auth_type)
        except _Missing as missing:
            if user in focus:
                raise missing.error from None
            notes.append(f"{user}: {missing.error.message}{'; its secret is kept' if kept else ''}")
            if user in own_now:
                own[user], origins[user] = own_now[user], KEPT
            continue
        if user in plain:
            secret, origin = given[user], AS_GIVEN
        if hand is not None and (hand.secret == secret or matches(hand.secret, secret, user)):
            origins[user] = f"by hand, {hand.source}"
            continue
        if hand is not None:
            what = "an empty password" if not hand.secret else "another secret"
            notes.append(
                f"{hand.source} gives {user} {what}; novaops' own entry comes later and counts: remove that line"
            )
        own[user], origins[user] = secret, origin
    return Secrets(own, origins, tuple(notes))


def _secret(user: str, known: Known, given: str | None, kept: str, auth_type: str) -> tuple[str, str]:
    if given is not None and (refused := refuse_secret(given)):
        raise _Missing(refused.error(f"the password of {user}"))
    if known.roles is None:
        if given is not None:
            return given, AS_GIVEN
        if kept:
            return kept, KEPT
        raise _Missing(
            NovaopsError(
                f"no secret of {user} is at hand",
                detail=f"verifiers can be read by a superuser only; {known.why}",
                hint="connect as a superuser (--user postgres), or give the password by --password-stdin or "
                '--password-command, or set auth = "auth_query" in [pgbouncer]',
            )
        )
    role = known.roles.get(user)
    if role is None:
        raise _Missing(
            NovaopsError(
                f"the server has no role {user}",
                hint=f"{command_line('alias add', '--create-role', '--password-stdin', arguments=[user])} makes it; or name another role with"
                " --role",
            )
        )
    if not role.can_log_in or role.expired:
        what = "may not log in (NOLOGIN)" if not role.can_log_in else "has a password that is no longer valid"
        raise _Missing(
            NovaopsError(
                f"the role {user} {what}",
                hint=f"ALTER ROLE {quote_ident(user)} {'LOGIN' if not role.can_log_in else 'VALID UNTIL …'}",
            )
        )
    if not role.verifier:
        raise _Missing(
            NovaopsError(
                f"the role {user} has no password, and an empty one never lets anybody in",
                hint=f"give it one, in psql by \\password {quote_ident(user)}, and run the same command again",
            )
        )
    if kind_of(role.verifier) == "md5" and auth_type == "scram-sha-256":
        raise _Missing(
            NovaopsError(
                f"the server keeps an md5 hash of the password of {user}, and auth_type is scram-sha-256",
                hint="set it again under password_encryption = 'scram-sha-256' (psql's \\password does that)",
            )
        )
    if given is not None and matches(given, role.verifier, user) is False:
        raise _Missing(
            NovaopsError(
                f"the password that was given is not that of the role {user}", hint="give the right one"
            )
        )
    return role.verifier, FROM_SERVER
