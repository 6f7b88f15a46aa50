"""Every hazard: where the harm is real nothing is applied, and where it is not, the same change passes unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from novaops.catalog.fingerprint import fingerprint
from novaops.errors import RefusedError
from novaops.planning.hazard_codes import HAZARDS, REFUSED_BY_ROWS
from novaops.project import Options, Project
from novaops.replication.declaration import Endpoint, ReplicatedTable, Replication
from novaops.replication.schema_change.watch import Watch


@dataclass(frozen=True, slots=True)
class Case:
    """From `old` to `new`; what `harm` does in between makes the change a hazard for `subject`."""

    old: str
    new: str
    harm: str
    subject: str
    """What consent would be for; "" where versions differ: a NOT NULL is the column's, from 18 on a constraint."""
    allow: tuple[str, ...] = ()
    """Consent to what comes along and is not the point."""
    watch: Watch | None = None
    until: int = 99
    """The last major version of PostgreSQL on which the change does harm."""
    undeclared: str = "drop"
    """No journal knows the old schema, which stands for that of an earlier apply."""


T = "CREATE TABLE t (a int, b text{});"
PAIR = "CREATE TABLE k (a int PRIMARY KEY); CREATE TABLE t (a int{});"
PARENT = "CREATE TABLE r (a int, b text) PARTITION BY RANGE (a);"
LARGE = "INSERT INTO {} SELECT n, 'x' FROM generate_series(1, 4000) AS n;"
SECURE = T.format("") + "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
TRIGGER = (
    T.format("") + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();"
)
NOWHERE = Endpoint("nowhere", {"host": "/nonexistent", "connect_timeout": "2"})
SUBSCRIPTION = (
    "CREATE SUBSCRIPTION s CONNECTION 'host=/nonexistent' PUBLICATION p"
    " WITH (connect = false, slot_name = NONE, two_phase = {});"
)
ONE = "INSERT INTO t VALUES (1, 'x');"

CASES = {
    "data-loss": Case(T.format(", c int"), T.format(""), "INSERT INTO t VALUES (1, 'x', 2)", "public.t.c"),
    "narrowing": Case(
        "CREATE TABLE t (a varchar(9));", "CREATE TABLE t (a varchar(3));", "INSERT INTO t VALUES ('longer')", "public.t.a"
    ),
    "undeclared-drop": Case(T.format(""), T.format(""), "CREATE INDEX by_hand ON t (b)", "public.by_hand", undeclared="ask"),
    "not-null": Case(
        T.format(""), T.format("") + "ALTER TABLE t ADD CHECK (a > 0), ALTER b SET NOT NULL;",
        "INSERT INTO t VALUES (1, NULL)", "",
    ),
    "unique": Case(T.format(""), T.format(", UNIQUE (b)"), ONE * 2, "t_b_key on public.t"),
    "foreign-key": Case(
        PAIR.format(""), PAIR.format(" REFERENCES k"), "INSERT INTO t VALUES (7)", "t_a_fkey on public.t"
    ),
    "check": Case(T.format(""), T.format(", CHECK (a > 1)"), ONE, "t_a_check on public.t"),
    "table-lock": Case(
        T.format("") + "CREATE TABLE z (a int, b text);", T.format(", c int") + "CREATE TABLE z (a bigint, b text);",
        LARGE.format("t") + LARGE.format("z"), "public.t", ("rewrite",),
    ),
    "rewrite": Case(T.format(""), T.format(", c uuid DEFAULT gen_random_uuid()"), LARGE.format("t"), "public.t"),
    "long-scan": Case(
        PARENT + T.format(""), PARENT + "CREATE TABLE t PARTITION OF r FOR VALUES FROM (0) TO (9999);",
        LARGE.format("t"), "public.t",
    ),
    "offline": Case(T.format(""), T.format(", EXCLUDE (a WITH =)"), LARGE.format("t"), "public.t"),
    "gap": Case(
        SUBSCRIPTION.format("false"), SUBSCRIPTION.format("true"), "ALTER SUBSCRIPTION s SET (slot_name = 's')", "s",
        until=17,  # later ones alter every subscription in place
    ),
    "access-loss": Case(SECURE + "CREATE POLICY p ON t;", SECURE, ONE, "p on public.t"),
    "access-grant": Case(
        T.format("") + "GRANT SELECT ON t TO pg_monitor;", T.format("") + "GRANT SELECT ON t TO pg_monitor, PUBLIC;",
        ONE, "public.t",
    ),
    "row-security": Case(SECURE, T.format(""), ONE, "public.t"),
    "behaviour": Case(TRIGGER, TRIGGER + "ALTER TABLE t DISABLE TRIGGER g;", ONE, "g on public.t"),
    "replication": Case(
        T.format(""), T.format(", c int"), "CREATE PUBLICATION p_pub FOR TABLE t", "public.t.c",
        watch=Watch(((Replication("p", NOWHERE, NOWHERE, (ReplicatedTable("public", "t"),)), False),)),
    ),
    "unmanaged-dependant": Case(
        T.format(""), T.format("").replace("a int", "a bigint"),
        "CREATE SCHEMA other; CREATE VIEW other.v AS SELECT a FROM t", "other.v",
    ),
}  # fmt: skip

VIEW = T.format("") + "CREATE VIEW v AS SELECT {} FROM t;"
READ = "GRANT SELECT ON {} TO pg_monitor;"
FUNCTION = "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql {} AS 'SELECT $1 * {}';"
ENUM = "CREATE TYPE m AS ENUM ('{}', '{}'); CREATE TABLE t (a m);"
DOMAIN = "CREATE DOMAIN d AS numeric(9,{}); CREATE TABLE t (a d[]);"
REFERRED = "CREATE TABLE k (a int, b text, PRIMARY KEY (a, b));" + T.format("{}")

# Other ways to the same hazards: the name of each, and the case.
OTHER_WAYS = {
    "values of a domain": (
        "narrowing", Case(DOMAIN.format(4), DOMAIN.format(2), "INSERT INTO t VALUES ('{1.2345}')", "public.d")
    ),
    "position of an identity": (
        "data-loss", Case(
            "CREATE TABLE t (a int, b int GENERATED ALWAYS AS IDENTITY);", "CREATE TABLE t (a int, b int NOT NULL);",
            "INSERT INTO t VALUES (1)", "public.t_b_seq",
        ),
    ),
    "values that become the same": (
        "unique", Case(
            "CREATE TABLE t (a numeric(9,4) UNIQUE)", "CREATE TABLE t (a numeric(9,1) UNIQUE)",
            "INSERT INTO t VALUES (1.01), (1.02)", "t_a_key on public.t",
        ),
    ),
    "partly NULL": (
        "foreign-key", Case(
            REFERRED.format(""), REFERRED.format(", CONSTRAINT f FOREIGN KEY (a, b) REFERENCES k MATCH FULL"),
            "INSERT INTO t VALUES (1, NULL)", "f on public.t",
        ),
    ),
    "revoked by a rebuild": (
        "access-loss", Case(
            VIEW.format("a, b") + READ.format("v"), VIEW.format("b") + READ.format("v"),
            "GRANT SELECT ON v TO pg_signal_backend", "public.v",
        ),
    ),
    "granted by a rebuild": (
        "access-grant", Case(VIEW.format("a, b"), VIEW.format("b") + "GRANT SELECT ON v TO PUBLIC", ONE, "public.v")
    ),
    "row security turned on": ("access-loss", Case(T.format("") + READ.format("t"), SECURE + READ.format("t"), ONE, "public.t")),
    "row security forced": (
        "access-loss", Case(
            SECURE + ONE, SECURE + "ALTER TABLE t FORCE ROW LEVEL SECURITY", "ALTER TABLE t OWNER TO pg_monitor", "public.t"
        ),
    ),
    "restrictive policy": (
        "access-loss", Case(
            SECURE + READ.format("t"), SECURE + READ.format("t") + "CREATE POLICY p ON t AS RESTRICTIVE USING (a > 1)",
            ONE, "p on public.t",
        ),
    ),
    "view past its caller": (
        "access-grant", Case(
            VIEW.format("a").replace(" AS", " WITH (security_invoker) AS") + READ.format("v"), VIEW.format("a") + READ.format("v"),
            ONE, "public.v",
        ),
    ),
    "definer": (
        "access-grant", Case(
            FUNCTION.format("", 1) + "REVOKE ALL ON FUNCTION f FROM PUBLIC", FUNCTION.format("SECURITY DEFINER", 1),
            "GRANT EXECUTE ON FUNCTION f TO pg_monitor", "public.f(integer)",
        ),
    ),
    "index of another function": (
        "behaviour", Case(
            FUNCTION.format("", 1) + T.format("") + "CREATE INDEX i ON t (f(a));",
            FUNCTION.format("", 2) + T.format("") + "CREATE INDEX i ON t (f(a));", ONE, "public.f(integer)",
        ),
    ),
    "unlogged": ("behaviour", Case(T.format(""), T.format("").replace("TABLE", "UNLOGGED TABLE"), ONE, "public.t")),
    "order of labels": (
        "behaviour", Case(ENUM.format("lo", "hi"), ENUM.format("hi", "lo"), "INSERT INTO t VALUES ('hi')", "public.m")
    ),
}  # fmt: skip
ALL = {**{name: (name, case) for name, case in CASES.items()}, **OTHER_WAYS}


def test_no_hazard_is_without_a_case() -> None:
    assert list(CASES) == list(HAZARDS)


@pytest.fixture
def project(new_database: Callable[..., str], tmp_path: Path) -> Callable[[Case, str], Project]:
    """A project of a database with the old schema, after `sql`."""

    def make(case: Case, sql: str) -> Project:
        url = new_database("hazard")
        with psycopg.connect(url, autocommit=True) as connection:
            if connection.info.server_version // 10000 > case.until:
                pytest.skip(f"no harm after PostgreSQL {case.until}")
            connection.execute(case.old)
            connection.execute(sql)
        (tmp_path / "schema.sql").write_text(case.new)
        return Project(
            url,
            tmp_path / "schema.sql",
            Options(schemas=("public",), ignore_file=None, watch=case.watch, undeclared=case.undeclared),
        )

    return make


@pytest.mark.parametrize("way", ALL)
def test_real_harm_is_refused(project: Callable[[Case, str], Project], way: str) -> None:
    name, case = ALL[way]
    allow = [*case.allow, *(["all"] if name in REFUSED_BY_ROWS else [])]
    with project(case, case.harm) as made:
        before = fingerprint(made.inspect())
        with pytest.raises(RefusedError) as refused:
            made.apply(allow=allow)
        assert f"{name}:{case.subject}" in str(refused.value)
        assert fingerprint(made.inspect()) == before


@pytest.mark.parametrize("way", ALL)
def test_without_the_harm_it_passes_unasked(project: Callable[[Case, str], Project], way: str) -> None:
    name, case = ALL[way]
    with project(case, "SELECT") as made:
        # Only the rehearsal tells of locks; of the others it is tested that nobody asks.
        assert made.apply(rehearse=name == "table-lock").left == ()
