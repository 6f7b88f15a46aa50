"""The declared state of a script, with what it refers to and does not declare taken from the live side."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any, cast

import psycopg

from novaops.catalog.address import Address
from novaops.db.locks import lock_table
from novaops.desired.bodies import CheckFunctions, Unchanged
from novaops.desired.build import (
    Desired,
    MissingRoles,
    NotInOneTransactionError,
    build,
)
from novaops.desired.extensions import Providers, known_provider
from novaops.desired.files import Script
from novaops.desired.missing import IncompleteError, miss_something
from novaops.desired.overlay import Overlay
from novaops.desired.renamed import Renaming
from novaops.diagnostics import DiagnosticsError
from novaops.kinds import registry

# A table comes with a key, a TOAST table and the index of that.
LOCKS_OF_A_STATEMENT = 5

Shadow = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""Gives an empty database."""


def declare(
    script: Script,
    shadow: Shadow,
    elsewhere: Callable[[Set[Address]], Sequence[str]],
    unchanged: Unchanged,
    missing_roles: str,
    check_functions: str,
    *,
    disposable: bool,
    commit: bool = False,
    renaming: Renaming | None = None,
    overlay: Overlay | None = None,
    providers: Providers = known_provider,
) -> Desired:
    """Build the script in a shadow; `elsewhere` tells how to make the live objects it does not manage,
    but for those that it has made.

    Those are made only when the script fails without them: a script that stands on its own must not
    change its meaning with what lies beside it. Where only bodies of functions miss something, no more than
    the warnings about them is taken from there. Where the shadow is `disposable`, a script that may
    take too many locks, or fails in one transaction, is committed bit by bit, with `commit` in any case. `renaming`
    is asked what has other names in the live database; `overlay` is what is declared besides the script;
    `providers` tells which extension of the target provides a name.
    """

    def built(prelude: Sequence[str]) -> Desired:
        committed = commit
        while True:
            with shadow() as connection:
                locks = LOCKS_OF_A_STATEMENT * (len(script.statements) + len(prelude))
                committed = committed or (disposable and locks > lock_table(connection).room)
                try:
                    made = build(
                        connection,
                        script.statements,
                        readers=list(registry().values()),
                        prelude=prelude,
                        missing_roles=cast(MissingRoles, missing_roles),
                        check_functions=cast(CheckFunctions, check_functions),
                        unchanged=unchanged,
                        commit=committed,
                        declares=script.path,
                        renaming=renaming,
                        overlay=overlay,
                        providers=providers,
                    )
                    return replace(made, dumped=script.dumped)
                except NotInOneTransactionError:
                    if committed or not disposable:
                        raise
                    committed = True

    try:
        desired = built(())
    except IncompleteError as error:
        if not miss_something(error.diagnostics) or not (prelude := elsewhere(error.made)):
            raise
        return built(prelude)
    warnings = [notice for notice in desired.notices if notice.severity == "warning"]
    if miss_something(warnings) and (prelude := elsewhere(desired.snapshot.objects.keys())):
        with suppress(DiagnosticsError):
            return replace(desired, notices=built(prelude).notices)
    return desired
