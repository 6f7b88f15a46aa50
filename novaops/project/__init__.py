"""The library: a database, the files that declare it, and what leads from one to the other."""

from novaops.project.options import Options, Outcome
from novaops.project.project import Project

__all__ = ["Options", "Outcome", "Project"]
