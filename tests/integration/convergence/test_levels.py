"""A statement on a table reaches the tables below it: each level comes to what is declared for it.

The whole matrix is long: `--every-level` runs it, and otherwise some of its cases are run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from novaops.catalog.snapshot import Snapshot
from novaops.kinds import registry
from novaops.planning.diff import diff
from novaops.planning.plan import Target
from novaops.planning.planner import Assessed, assessed
from novaops.planning.request import Request
from tests.integration.convergence.conftest import EVERYTHING, MANAGED, Converge, entries, execute, snapshot
from tests.integration.convergence.levels import Case, State, cases, known, rows, schema

EVERY = 71
"""Of the cases, each so manieth is run without `--every-level`: a prime, so that every layout and property has its turn."""
TARGET = Target("levels", "", 0, "", "", "")
CLEAN = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
Connection = psycopg.Connection[Any]


class Levels:
    """A database that is brought from one state to another, and one in which the declared state is made."""

    def __init__(self, current: str, goal: str, pg_dump: Callable[..., str]) -> None:
        self.current, self.goal = (
            psycopg.connect(url, autocommit=True, prepare_threshold=None) for url in (current, goal)
        )
        self.dumped = lambda url: entries(pg_dump(url, "--schema-only"))
        self.url, self.goal_url = current, goal
        self.version = self.goal.info.server_version
        self.known: dict[Any, Any] = {}

    def _declared(self, case: Case, state: State) -> Any:
        self.goal.execute(CLEAN)
        self.goal.execute(schema(case, state, self.version))
        return snapshot(self.goal), self.dumped(self.goal_url)

    def declared(self, case: Case, state: State) -> Any:
        key = (case.layout, case.names, state)
        if key not in self.known:
            self.known[key] = self._declared(case, state)
        return self.known[key]

    def judge(self, case: Case) -> list[str]:
        """What is wrong after the plans there and back were carried out."""
        try:
            self.declared(case, case.one), self.declared(case, case.other)
            self.current.execute(CLEAN)
            self.current.execute(schema(case, case.one, self.version))
        except psycopg.Error as error:
            return [f"the case itself: {error}"]
        if case.rows:
            self.current.execute(rows(case, case.one))
        wrong = self.step(case, case.one, case.other)
        if wrong or wrong is None:
            return wrong or []
        if case.rows and case.one is None:
            self.current.execute(rows(case, case.other))
        return ["BACK", *w] if (w := self.step(case, case.other, case.one)) else []

    def asked(self, case: Case) -> set[str]:
        """The hazards of the way from the first state to the other."""
        self.current.execute(CLEAN)
        self.current.execute(schema(case, case.one, self.version))
        self.current.execute(rows(case, case.one))
        return self.hazards(self.plan(self.declared(case, case.other)[0]))

    def plan(self, desired: Snapshot) -> Assessed:
        before = snapshot(self.current)
        return assessed(Request(before, desired, EVERYTHING, MANAGED, TARGET), self.current)

    def hazards(self, plan: Assessed) -> set[str]:
        return {h.hazard for found in plan.hazards.values() for h in found if not h.pending}

    def step(self, case: Case, old: State, new: State) -> list[str] | None:
        desired, dump = self.declared(case, new)
        kept, plan = self.values(case, old, new), self.plan(desired)
        asked, before = self.hazards(plan), plan.draft.scene.live
        statements = [written.step.sql for written in plan.draft.written]
        if asked - known(case, old, new):
            return [f"asks for {asked}", *statements]
        if "not-null" in asked:
            return None
        wrong = []
        try:
            execute(self.current, plan.draft)
        except psycopg.Error as error:
            return [f"{error}", *statements]
        after = snapshot(self.current)
        wrong += [f"still different: {address}" for address in diff(after, desired, EVERYTHING, MANAGED)]
        limits = 0
        for obj in after:
            goal, live = desired.objects.get(obj.address), before.objects.get(obj.address)
            if goal is None or goal.attributes == obj.attributes:
                continue
            accepted = registry()[obj.kind].beyond(live, goal) if live is not None else {}
            limits += 1
            wrong += [
                f"left: {name} of {obj.address}: {value!r} for {goal[name]!r}"
                for name, value in obj.attributes.items()
                if value != goal[name] and name not in accepted
            ]
        if not limits:
            found = self.dumped(self.url)
            wrong += [f"pg_dump: {line}" for line in {*found} ^ {*dump}]
        wrong += [] if self.values(case, old, new) == kept else ["rows"]
        return [*wrong, *statements] if wrong else []

    def values(self, case: Case, old: State, new: State) -> list[Any]:
        if old is None or new is None:
            return []
        query = f"SELECT tableoid::regclass::text, id, k, a, t FROM {case.names[0]} ORDER BY id"
        return self.current.execute(query).fetchall()


@pytest.fixture(scope="module")
def levels(
    server_url: str, pg_dump: Callable[..., str], database_url: Callable[[str], str]
) -> Iterator[Levels]:
    names = ("levels_current", "levels_goal")
    with psycopg.connect(server_url, autocommit=True) as maintenance:
        pid = maintenance.info.backend_pid
        for name in names:
            maintenance.execute(f"CREATE DATABASE {name}_{pid} TEMPLATE template0")
        made = Levels(*(database_url(f"{name}_{pid}") for name in names), pg_dump)
        try:
            yield made
        finally:
            made.current.close(), made.goal.close()
            for name in names:
                maintenance.execute(f"DROP DATABASE {name}_{pid} WITH (FORCE)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        step = 1 if metafunc.config.getoption("--every-level") else EVERY
        metafunc.parametrize("case", list(cases())[::step], ids=str)


def test_there_and_back(levels: Levels, case: Case) -> None:
    assert levels.judge(case) == []


SINCE_18 = pytest.mark.since(18, "NOT NULL as a constraint of a table")
PARTITIONED = """
    CREATE TABLE p ({0}) PARTITION BY LIST (k);
    CREATE TABLE c ({0});
    ALTER TABLE ONLY p ATTACH PARTITION c DEFAULT;
"""
ROWS = "INSERT INTO p (id, k) VALUES (1, 1), (2, 2)"


@SINCE_18
def test_a_partition_names_its_not_null_before_that_of_the_table_comes(converge: Converge) -> None:
    old, new = PARTITIONED.format("id int, k int"), PARTITIONED.format("id int NOT NULL, k int")
    statements = converge(old, new, rows=ROWS, check="SELECT count(*) = 2 FROM p", busy=["p", "c"])
    assert statements == [
        "ALTER TABLE public.c ADD CONSTRAINT c_id_not_null NOT NULL id NOT VALID",
        "ALTER TABLE public.p ADD CONSTRAINT p_id_not_null NOT NULL id NOT VALID",
        "ALTER TABLE public.p VALIDATE CONSTRAINT p_id_not_null",
    ]


@SINCE_18
def test_a_new_column_gets_its_not_null_from_the_leaf_up_and_the_rows_its_default(converge: Converge) -> None:
    old, new = (
        PARTITIONED.format("id int, k int"),
        PARTITIONED.format("id int, k int, j int DEFAULT 3 NOT NULL"),
    )
    statements = converge(
        old, new, rows=ROWS, check="SELECT count(*) = 2 FROM p WHERE j = 3", busy=["p", "c"]
    )
    assert statements == [
        "ALTER TABLE public.p ADD COLUMN j integer DEFAULT 3",
        "ALTER TABLE public.c ADD CONSTRAINT c_j_not_null NOT NULL j NOT VALID",
        "ALTER TABLE public.p ADD CONSTRAINT p_j_not_null NOT NULL j NOT VALID",
        "ALTER TABLE public.p VALIDATE CONSTRAINT p_j_not_null",
    ]


def test_a_key_of_a_table_with_attached_partitions(converge: Converge) -> None:
    old, new = PARTITIONED.format("id int, k int"), PARTITIONED.format("id int, k int, PRIMARY KEY (id, k)")
    converge(old, new, rows=ROWS, check="SELECT count(*) = 2 FROM p", busy=["p", "c"])


def test_a_default_of_the_table_does_not_stay_two_levels_below(converge: Converge) -> None:
    tables = """
        CREATE TABLE p (id int, k int {0}) PARTITION BY LIST (k);
        CREATE TABLE m (id int, k int {1}) PARTITION BY LIST (id);
        ALTER TABLE p ATTACH PARTITION m FOR VALUES IN (1);
        CREATE TABLE c (id int, k int {1});
        ALTER TABLE m ATTACH PARTITION c FOR VALUES IN (1);
    """
    old, new = tables.format("", ""), tables.format(", n int DEFAULT 3", ", n int")
    rows = "INSERT INTO p (id, k) VALUES (1, 1)"
    converge(old, new, rows=rows, check="SELECT count(*) = 1 FROM p WHERE n = 3", busy=["p", "m", "c"])


RANGES = """
    CREATE TABLE p (id int, a {0}) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
"""
PLAIN = "CREATE TABLE p (id int, a {0});"


@pytest.mark.parametrize(("before", "after"), [("int", "bigint"), ("text", 'text COLLATE "C"')])
@pytest.mark.parametrize(
    ("tables", "one_more"),
    [
        (RANGES, "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);"),
        (PLAIN, "CREATE TABLE p2 () INHERITS (p);"),
        (PLAIN, "CREATE TABLE p2 (id int, a {0}) INHERITS (p);"),
    ],
)
def test_a_table_joins_when_the_columns_have_their_types(
    converge: Converge, tables: str, one_more: str, before: str, after: str
) -> None:
    old, new = tables.format(before), (tables + one_more).format(after)
    rows = "INSERT INTO p VALUES (1, '1'), (2, '2')"
    converge(old, new, rows=rows, check="SELECT count(*) = 2 FROM p", busy=["p", "p1"])


def test_a_column_that_is_declared_again_is_added_to_the_child_first(converge: Converge) -> None:
    tables = "CREATE TABLE a (id int {0}); CREATE TABLE b (y int {1}) INHERITS (a);"
    old = tables.format("", "")
    new = tables.format(", z int NOT NULL DEFAULT 5", ", z int NOT NULL DEFAULT 6")
    rows = "INSERT INTO a VALUES (1); INSERT INTO b VALUES (2, 2)"
    check = "SELECT array_agg(z ORDER BY id) = '{5,6}' FROM a"
    converge(old, new, rows=rows, check=check, busy=["a", "b"])
    converge(new, old, rows="INSERT INTO a VALUES (1)", check="SELECT count(*) = 1 FROM a")


def test_rows_of_a_level_that_nothing_fills_are_found_beforehand(levels: Levels) -> None:
    one, other = frozenset[str](), frozenset({"new not null below"})
    for layout in ("partition of", "attached", "inherits"):
        hazards = levels.asked(Case(layout, one, other, rows=True, names="abcd"))
        assert hazards == {"not-null"}, layout


def test_values_of_an_expression_that_cannot_be_dropped_are_asked_for(levels: Levels) -> None:
    one, other = frozenset({"new generated"}), frozenset({"new default"})
    for layout in ("attached", "inherits"):
        hazards = levels.asked(Case(layout, one, other, rows=True, names="pmcd"))
        assert hazards == {"data-loss"}, layout
