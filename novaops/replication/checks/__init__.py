"""The pre-flight of a replication: everything that can be known to go wrong before anything is made."""

from novaops.replication.checks.preflight import CHECKS, Preflight, preflight
from novaops.replication.checks.scene import Scene

__all__ = ["CHECKS", "Preflight", "Scene", "preflight"]
