"""Setting a replication up, from nothing, from half-way or from what is already so."""

from novaops.replication.set_up.run import Done, Outcome, pending, set_up

__all__ = ["Done", "Outcome", "pending", "set_up"]
