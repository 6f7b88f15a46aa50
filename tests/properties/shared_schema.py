"""Random states of one schema in which everything depends on something that changes, and rows for it.

Two states of it make a plan full of rebuilds: keys move, types change under views, policies and triggers,
labels are added, partitions get another key.
"""

from __future__ import annotations

from hypothesis import strategies as st

NUMBER = ("int", "bigint", "numeric(12,2)")
KEYS = ("id", "k", "g", "k, id")
CHOICES: dict[str, tuple[str, ...]] = {
    "labels": ("'a'", "'a', 'b'", "'a', 'b', 'c'", "'x', 'a'"),
    "tenant": NUMBER,
    "amount": NUMBER,
    "key": KEYS,
    "referred": ("id", "k"),
    "action": ("", "ON DELETE CASCADE", "ON DELETE SET NULL", "DEFERRABLE"),
    "restriction": ("tenant = 1", "tenant < 9", "amount > 0 AND tenant = 1"),
    "permissive": ("true", "tenant > 0", "owned(id)"),
    "default": ("1", "1 + 1", "start()"),
    "start": ("SELECT 1", "SELECT 2"),
    "start_type": ("int", "bigint"),
    "owned": ("SELECT $1 > 0", "SELECT $1 >= 0"),
    "view": (
        "SELECT id, tenant, mood FROM accounts",
        "SELECT id, tenant, mood, amount FROM accounts WHERE tenant = 1",
        "SELECT tenant, count(*) AS id FROM accounts GROUP BY tenant",
    ),
    "relation": ("VIEW", "MATERIALIZED VIEW"),
    "check": ("amount > 0", "amount > 0 AND tenant > 0", "owned(id)"),
    "index": ("(tenant)", "(amount, tenant)", "((tenant + 1))", "(tenant) WHERE amount > 0"),
    "unique": ("(id, tenant)", "(id, amount)", "(k)"),
    "of": ("OF tenant", "OF amount, tenant", ""),
    "when": ("", "WHEN (NEW.tenant = 1)", "WHEN (NEW.amount > 0)"),
    "filter": ("", "WHERE (tenant = 1)", "WHERE (id > 0 AND tenant < 5)"),
    "granted": ("SELECT", "SELECT, INSERT", "SELECT (id)", "SELECT, UPDATE (tenant)"),
    "view_granted": ("SELECT", "SELECT, DELETE"),
    "partition_key": ("RANGE (id)", "RANGE (day)", "LIST (kind)"),
    "event_key": ("", ", PRIMARY KEY (id, day, kind)", ", UNIQUE (id, day, kind)"),
    "kind": ("int", "bigint"),
    "number": ("int", "int DEFAULT 7", "bigint NOT NULL"),
    "extra": ("", ", more int DEFAULT 1", ", more int NOT NULL DEFAULT 3", ", more bigint GENERATED ALWAYS AS (id) STORED"),
}  # fmt: skip
SCHEMA = """
CREATE TYPE mood AS ENUM ({labels});
CREATE FUNCTION start() RETURNS {start_type} LANGUAGE sql IMMUTABLE AS '{start}';
CREATE FUNCTION owned(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS '{owned}';
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE accounts (
    id int NOT NULL, k int NOT NULL, g int GENERATED ALWAYS AS (id) STORED, tenant {tenant} DEFAULT {default},
    amount {amount}, mood mood, CONSTRAINT accounts_key PRIMARY KEY ({key}), CONSTRAINT u UNIQUE {unique},
    CONSTRAINT by_id UNIQUE (id), CONSTRAINT by_k UNIQUE (k), CONSTRAINT c CHECK ({check}){extra}
);
CREATE INDEX i ON accounts {index};
CREATE TABLE notes (id int PRIMARY KEY, account int CONSTRAINT n_account REFERENCES accounts ({referred}) {action});
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON accounts USING ({permissive});
CREATE POLICY r ON accounts AS RESTRICTIVE USING ({restriction});
CREATE TRIGGER t BEFORE UPDATE {of} ON accounts FOR EACH ROW {when} EXECUTE FUNCTION audit();
CREATE {relation} v AS {view};
CREATE VIEW v2 AS SELECT id, tenant FROM v;
GRANT {granted} ON accounts TO pg_monitor;
GRANT {view_granted} ON v TO pg_monitor;
GRANT SELECT ON v2 TO PUBLIC;
CREATE PUBLICATION pub FOR TABLE ONLY accounts {filter};
CREATE TABLE events (id int, day int, kind {kind}, n {number}{event_key}) PARTITION BY {partition_key};
CREATE TABLE events_1 (id int, day int, kind {kind}, n {number}{event_key});
ALTER TABLE events ATTACH PARTITION events_1 DEFAULT;
CREATE TRIGGER te AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION audit();
GRANT SELECT ON events TO PUBLIC;
CREATE VIEW ve AS SELECT kind, n FROM events;
"""
ROWS = """
INSERT INTO accounts (id, k, tenant, amount, mood) SELECT n, n, 1, n, 'a' FROM generate_series(1, 5) AS n;
INSERT INTO notes SELECT n, n FROM generate_series(1, 5) AS n;
INSERT INTO events SELECT n, n, n, n FROM generate_series(1, 5) AS n;
"""


def state(chosen: dict[str, str]) -> str:
    """Return the SQL of a state."""
    return SCHEMA.format(**chosen)


def states() -> st.SearchStrategy[dict[str, str]]:
    """Return a strategy of choices, one for each word of the schema."""
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CHOICES.items()})
