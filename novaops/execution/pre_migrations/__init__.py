"""Numbered SQL files that repair the state of a database before its schema is planned, each run once.

`files` reads them, `ledger` remembers in the target which have run, `standing` compares the two,
`consent` finds what in them may do harm, `run` runs them, `predict` tells on a copy what they will leave.
"""
