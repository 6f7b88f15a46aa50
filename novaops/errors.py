"""Errors that novaops shows to people: what, where, why, and what to do."""

from __future__ import annotations


class NovaopsError(Exception):
    """An error with a way out.

    `message` says what happened, `detail` why, `hint` what to do next; none of them ever holds a
    secret. `exit_code` is the process exit status of the command-line contract.
    """

    exit_code = 1

    def __init__(self, message: str, *, detail: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint


class UsageError(NovaopsError):
    """The call itself is wrong, or consent is needed and cannot be asked for (exit 2)."""

    exit_code = 2


class RefusedError(NovaopsError):
    """A hazard was not allowed; nothing was applied (exit 4)."""

    exit_code = 4


class TargetChangedError(NovaopsError):
    """The target is not what the plan was made from (exit 5)."""

    exit_code = 5
