"""Where and when a statement of a kind runs; not a kind itself."""

from __future__ import annotations

from enum import Enum


class Placement(Enum):
    """Where a statement may run."""

    TRANSACTION = "in a transaction with others"
    ALONE = "outside a transaction"
    APART = "in a transaction of its own"
    COMMIT_AFTER = "in a transaction that must commit before the change is used"


class Phase(Enum):
    """When a step runs; creations have the phases RELEASE and FINISH in methods of their own."""

    PREPARE = "ahead, before the old state is given up: long work under weak locks"
    RELEASE = "before what the object no longer depends on is dropped"
    MAIN = "when what it will depend on exists"
    FINISH = "when the objects it contains are as they will be, too"
    VALIDATE = "at the end: long work that nothing waits for"
