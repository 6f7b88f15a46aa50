"""Logical replication between two databases: declared, set up, proven, watched, taken down."""
