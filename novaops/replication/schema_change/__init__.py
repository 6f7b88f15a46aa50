"""Changes of replicated tables, taken through both sides so that no row is refused on the way."""

from novaops.replication.schema_change.change import SchemaChange, open_change
from novaops.replication.schema_change.course import Course, Leg, Step
from novaops.replication.schema_change.run import Changed, How, apply

__all__ = ["Changed", "Course", "How", "Leg", "SchemaChange", "Step", "apply", "open_change"]
