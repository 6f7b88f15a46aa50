"""The SQL on the pages about hazards runs as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest

from novaops.desired.split import File, Statement, split
from novaops.output.explanations import page
from novaops.planning.hazard_codes import HAZARDS, HazardCode

BLOCK = re.compile(r"^ *```sql\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE entities (id bigint PRIMARY KEY, name text, full_name text, legacy_id bigint);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total numeric, number int);
CREATE TABLE events (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE events_2025 (at timestamptz);
CREATE TABLE visits (user_id bigint) PARTITION BY LIST (user_id);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1);
CREATE MATERIALIZED VIEW totals AS SELECT user_id, sum(total) AS total FROM orders GROUP BY user_id;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
GRANT SELECT ON entities TO pg_monitor;
INSERT INTO users VALUES (1);
INSERT INTO entities VALUES (1, 'Ada Lovelace', NULL, 7), (2, 'Ada Lovelace', 'x', NULL);
INSERT INTO orders VALUES (1, 1, 5, 1), (2, 8, -5, 2);
INSERT INTO events_2025 VALUES ('2025-05-05');
INSERT INTO visits VALUES (1);
"""


@pytest.fixture
def url(new_database: Callable[..., str]) -> Iterator[str]:
    """A database with what the pages speak of; the role that one of them makes is dropped."""
    url = new_database("pages")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        yield url
        if connection.execute("SELECT to_regrole('entities_readers')").fetchone() != (None,):
            connection.execute("DROP OWNED BY entities_readers; DROP ROLE entities_readers")


@pytest.mark.parametrize("hazard", HAZARDS.values(), ids=lambda hazard: hazard.name)
def test_recipe(url: str, hazard: HazardCode) -> None:
    blocks = BLOCK.findall(page(hazard))
    assert blocks
    with psycopg.connect(url, autocommit=True) as connection:
        for block in blocks:
            for statement in split(File.of("page", block)):
                assert isinstance(statement, Statement)
                connection.execute(statement.text)
