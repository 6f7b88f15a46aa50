"""What a change may do to live data, as queries that tell whether it does; not a kind itself."""

from __future__ import annotations

from dataclasses import dataclass

from novaops.kinds.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Risk:
    """Harm that a change does if the live data are so.

    `exists` is a query whose first column is true when there is harm, `count` one that returns
    (affected, total) for display; None means that there is harm whatever the data. `hazard` is a
    name of the contract ("data-loss"), `subject` the identity consent is given for, `loses` says
    in words what is at stake ("rows", "values").
    """

    hazard: str
    subject: str
    loses: str
    exists: str | None = None
    count: str | None = None
    lock: str | None = None
    """Table to lock before `exists` is asked again, right before the statement."""
    says: str | None = None
    """What would become of them where they are not lost: "would leave public.events"."""
    query: str | None = None
    """What shows people the rows in question."""
    tries: bool = False
    """Whether `exists` converts the values as the statement does: where that fails, PostgreSQL refuses the statement."""
    evaluation: Evaluation | None = None
    """What the change evaluates for the rows, where an error means that PostgreSQL refuses the change."""
