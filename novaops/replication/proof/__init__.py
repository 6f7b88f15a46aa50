"""Proof that rows arrive: the health of the parts, a barrier in the WAL, equal rows, a row that is heard."""
