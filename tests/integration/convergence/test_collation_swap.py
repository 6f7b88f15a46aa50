"""A collation can only be made anew, and what is stored under it stays."""

from __future__ import annotations

import pytest

from tests.integration.convergence.conftest import Converge

COLLATION = "CREATE COLLATION c (provider = libc, locale = '{}'); "
CASES = {
    "key": (
        "CREATE TABLE t (a text COLLATE c PRIMARY KEY, b varchar(3) COLLATE c CHECK (b > ('a' COLLATE c)));"
        " CREATE TABLE u (a text COLLATE c REFERENCES t); CREATE VIEW v AS SELECT a FROM t WHERE b < 'x';"
        " CREATE INDEX ON t (lower(b));",
        "INSERT INTO t VALUES ('k', 'q'); INSERT INTO u VALUES ('k')",
        "SELECT t.a = 'k', b = 'q', u.a = 'k' FROM t, u, v",
    ),
    "partition key": (
        "CREATE TABLE t (a text COLLATE c) PARTITION BY RANGE (a);"
        " CREATE TABLE p PARTITION OF t FOR VALUES FROM ('a') TO ('m');",
        "INSERT INTO t VALUES ('k')",
        "SELECT a = 'k' FROM t",
    ),
    "child": (
        "CREATE TABLE t (a text COLLATE c); CREATE TABLE u (b int) INHERITS (t);",
        "INSERT INTO u VALUES ('k', 1)",
        "SELECT a = 'k' FROM t",
    ),
    "domain": (
        "CREATE DOMAIN d AS text COLLATE c CHECK (VALUE <> ''); CREATE TABLE t (a d, b d[]);",
        "INSERT INTO t VALUES ('k', '{k}')",
        "SELECT a = 'k', b::text[] = '{k}' FROM t",
    ),
    "composite": (
        "CREATE TYPE y AS (a text COLLATE c); CREATE TABLE t OF y; CREATE TABLE u (a y);",
        "INSERT INTO t VALUES ('k'); INSERT INTO u VALUES (ROW('k'))",
        "SELECT t.a = 'k', (u.a).a = 'k' FROM t, u",
    ),
    "range": (
        "CREATE TYPE r AS RANGE (subtype = text, collation = c); CREATE TABLE t (a r);",
        "INSERT INTO t VALUES ('[k,l]')",
        "SELECT a::text = '[k,l]' FROM t",
    ),
    "generated": (
        "CREATE TABLE t (a text COLLATE c, b text COLLATE c GENERATED ALWAYS AS (upper(a)) STORED);",
        "INSERT INTO t VALUES ('k')",
        "SELECT a = 'k', b = 'K' FROM t",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_stored_stays(converge: Converge, name: str) -> None:
    schema, rows, kept = CASES[name]
    converge(COLLATION.format("C") + schema, COLLATION.format("POSIX") + schema, rows=rows, check=kept)
