"""The declared state of a script, with what it refers to and does not declare taken from the live side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

import psycopg

from novaops.desired.build import Desired, NotInOneTransactionError, build
from novaops.desired.files import Script
from novaops.diagnostics import DiagnosticsError
from novaops.kinds import registry

# Undefined table, function, column, object, schema; invalid foreign key.
MISSING = frozenset({"42P01", "42883", "42703", "42704", "3F000", "42830"})

Shadow = Callable[[bool], AbstractContextManager[psycopg.Connection[Any]]]
"""Makes an empty database; the argument tells whether things are committed there, and it is dropped."""


def declare(
    script: Script, shadow: Shadow, elsewhere: Callable[[], Sequence[str]], missing_roles: str
) -> Desired:
    """Build the script in a shadow; `elsewhere` tells how to make the live objects it does not manage.

    Those are made only when the script fails without them: a script that stands on its own must not
    change its meaning with what lies beside it.
    """

    def attempt(connection: psycopg.Connection[Any], prelude: Sequence[str], commit: bool) -> Desired:
        return build(
            connection,
            script.statements,
            readers=list(registry().values()),
            prelude=prelude,
            missing_roles=cast(Any, missing_roles),
            commit=commit,
            declares=script.path,
        )

    def complete(connection: psycopg.Connection[Any], commit: bool) -> Desired:
        try:
            return attempt(connection, (), commit)
        except DiagnosticsError as error:
            if commit or not any(d.code in MISSING for d in error.diagnostics):
                raise
            if not (statements := elsewhere()):
                raise
        return attempt(connection, statements, commit)

    try:
        with shadow(False) as connection:
            return complete(connection, commit=False)
    except NotInOneTransactionError:
        with shadow(True) as connection:
            return complete(connection, commit=True)
