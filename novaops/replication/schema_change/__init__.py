"""Changes of replicated tables, taken through both sides so that no row is refused on the way."""
