"""schema/schema.sql does what its tables' guide promises."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

from tests.integration.nova_schema.conftest import SCHEMA, Connection, value

pytestmark = pytest.mark.extension("vector")
WARNING = "⚠️ Turn context truncated — some critical rules may be missing. Alert I)ruid."
SUMMARY = "A summary that is long enough to pass the check on the length of summaries."
INSIGHTS = "Insights that are long enough."


def test_loads_into_an_empty_database_in_one_transaction(
    new_database: Callable[..., str], psql: Callable[..., str]
) -> None:
    url = new_database()
    psql(url, "-1", "-f", str(SCHEMA))
    with psycopg.connect(url) as connection:
        assert value(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 23


def test_every_table_and_view_says_who_may_use_it(nova: Connection) -> None:
    silent = nova.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        " AND coalesce(obj_description(oid, 'pg_class'), '') = ''"
    ).fetchall()
    assert silent == []
    assert "Newhart" in value(nova, "SELECT obj_description('agents'::regclass)")


def test_every_function_pins_its_search_path(nova: Connection) -> None:
    functions = nova.execute(
        "SELECT proname, proconfig FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')"
    ).fetchall()
    assert len(functions) >= 10
    assert {f[0] for f in functions if f[1] != ["search_path=pg_catalog, pg_temp"]} == set()


class TestRowLock:
    @pytest.fixture
    def projects(self, nova: Connection) -> Connection:
        nova.execute("INSERT INTO projects (name, locked) VALUES ('pointer', true), ('open', false)")
        return nova

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE projects SET goal = 'x' WHERE name = 'pointer'",
            "UPDATE projects SET locked = true, goal = 'x' WHERE name = 'pointer'",
            "UPDATE projects SET locked = NULL WHERE name = 'pointer'",
            "DELETE FROM projects WHERE name = 'pointer'",
            "TRUNCATE projects, tasks",
            "TRUNCATE projects CASCADE",
            "INSERT INTO projects (name) VALUES ('pointer') ON CONFLICT (name) DO UPDATE SET goal = 'x'",
        ],
    )
    def test_holds(self, projects: Connection, statement: str) -> None:
        before = projects.execute("SELECT * FROM projects ORDER BY id").fetchall()
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="locked"):
            projects.execute(statement)
        assert projects.execute("SELECT * FROM projects ORDER BY id").fetchall() == before

    def test_opens_on_request(self, projects: Connection) -> None:
        projects.execute("UPDATE projects SET locked = FALSE WHERE name = 'pointer'")
        projects.execute("UPDATE projects SET goal = 'new' WHERE name = 'pointer'")
        projects.execute("UPDATE projects SET locked = TRUE WHERE name = 'pointer'")
        assert value(projects, "SELECT goal FROM projects WHERE locked") == "new"

    def test_leaves_unlocked_rows_alone(self, projects: Connection) -> None:
        projects.execute("UPDATE projects SET goal = 'x' WHERE name = 'open'")
        assert value(projects, "SELECT updated_at > created_at FROM projects WHERE name = 'open'")
        projects.execute("DELETE FROM projects WHERE name = 'open'")
        projects.execute("UPDATE projects SET locked = false")
        projects.execute("TRUNCATE projects CASCADE")
        assert value(projects, "SELECT count(*) FROM projects") == 0


class TestTurnContext:
    def add(self, nova: Connection, scope: str, key: str, file: str, content: str) -> None:
        nova.execute(
            "INSERT INTO agent_turn_context (context_type, context_key, file_key, content) VALUES (%s, %s, %s, %s)",
            [scope, key, file, content],
        )

    def context(self, nova: Connection, agent: str = "nova") -> tuple[str, bool, int, int]:
        query = "SELECT content, truncated, records_skipped, total_chars FROM get_agent_turn_context(%s)"
        (row,) = nova.execute(query, [agent]).fetchall()
        return row

    def test_empty(self, nova: Connection) -> None:
        assert self.context(nova) == ("", False, 0, 0)

    def test_widest_scope_first_and_only_what_concerns_the_agent(self, nova: Connection) -> None:
        nova.execute("INSERT INTO agent_domains SELECT id, 'Writing' FROM agents WHERE name = 'Quill'")
        self.add(nova, "AGENT", "quill", "A", "agent")
        self.add(nova, "AGENT", "nova", "B", "other agent")
        self.add(nova, "DOMAIN", "writing", "C", "domain")
        self.add(nova, "DOMAIN", "coding", "D", "other domain")
        self.add(nova, "GLOBAL", "*", "E", "global")
        self.add(nova, "UNIVERSAL", "*", "F2", "universal 2")
        self.add(nova, "UNIVERSAL", "*", "F1", "universal 1")
        self.add(nova, "UNIVERSAL", "*", "G", "disabled")
        nova.execute("UPDATE agent_turn_context SET enabled = false WHERE file_key = 'G'")
        expected = ["universal 1", "universal 2", "global", "domain", "agent"]
        content, truncated, skipped, total = self.context(nova, "QUILL")
        assert content.split("\n\n") == expected
        assert (truncated, skipped, total) == (False, 0, sum(map(len, expected)))

    def test_a_full_budget_is_no_excess(self, nova: Connection) -> None:
        for i in range(4):
            self.add(nova, "GLOBAL", "*", str(i), "ä" * 500)
        content, *rest = self.context(nova)
        assert rest == [False, 0, 2000]
        assert WARNING not in content

    def test_excess_is_left_out_whole_and_said(self, nova: Connection) -> None:
        for i in range(3):
            self.add(nova, "UNIVERSAL", "*", str(i), "u" * 500)
        self.add(nova, "GLOBAL", "*", "a", "g" * 450)
        self.add(nova, "AGENT", "nova", "b", "x" * 51)
        self.add(nova, "AGENT", "nova", "c", "fits")
        content, *rest = self.context(nova)
        assert rest == [True, 1, 1954]
        assert content.split("\n\n")[3:] == ["g" * 450, "fits", WARNING]

    @pytest.mark.parametrize(
        ("scope", "key", "content"),
        [
            ("GLOBAL", "*", "x" * 501),
            ("GLOBAL", "*", ""),
            ("GLOBAL", "nova", "x"),
            ("AGENT", "*", "x"),
            ("EVERYONE", "*", "x"),
        ],
    )
    def test_refuses(self, nova: Connection, scope: str, key: str, content: str) -> None:
        with pytest.raises(errors.CheckViolation):
            self.add(nova, scope, key, "k", content)

    def test_bootstrap_context_has_the_same_order(self, nova: Connection) -> None:
        nova.execute(
            "INSERT INTO agent_bootstrap_context (context_type, context_key, file_key, content) VALUES"
            " ('AGENT', 'nova', 'K', 'agent'), ('GLOBAL', '*', 'K', 'global'), ('UNIVERSAL', '*', 'K', 'universal'),"
            " ('AGENT', 'coder', 'K', 'other')"
        )
        rows = nova.execute("SELECT content FROM get_agent_bootstrap_context('Nova')").fetchall()
        assert [row[0] for row in rows] == ["universal", "global", "agent"]


class TestLibrary:
    def add(self, nova: Connection, title: str, **columns: object) -> None:
        row = {"work_type": "paper", "publication_date": "2026-01-01", "summary": SUMMARY} | {
            "insights": INSIGHTS, "shared_by": "nova", "title": title, **columns
        }  # fmt: skip
        marks = ", ".join(["%s"] * len(row))
        nova.execute(f"INSERT INTO library_works ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def test_search_ranks_title_over_summary_over_insights_over_content(self, nova: Connection) -> None:
        self.add(nova, "In content", content_text="zebra")
        self.add(nova, "In insights", insights=INSIGHTS + " zebra")
        self.add(nova, "In abstract", abstract="zebra")
        self.add(nova, "Zebra")
        rows = nova.execute(
            "SELECT title FROM library_works, plainto_tsquery('english', 'zebras') q"
            " WHERE search_vector @@ q ORDER BY ts_rank(search_vector, q) DESC"
        ).fetchall()
        assert [row[0] for row in rows] == ["Zebra", "In abstract", "In insights", "In content"]

    def test_search_vector_follows_the_text(self, nova: Connection) -> None:
        self.add(nova, "Before")
        nova.execute("UPDATE library_works SET title = 'Zebra', search_vector = NULL")
        assert value(nova, "SELECT search_vector @@ to_tsquery('english', 'zebra') FROM library_works")
        nova.execute("UPDATE library_works SET search_vector = ''")
        assert value(nova, "SELECT search_vector @@ to_tsquery('english', 'zebra') FROM library_works")

    def test_takes_a_text_longer_than_a_search_vector(self, nova: Connection) -> None:
        text = value(nova, "SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 80000) i")
        self.add(nova, "Long", content_text=text)
        assert value(nova, "SELECT length(content_text) FROM library_works") == len(text)

    def test_title_and_edition_are_unique(self, nova: Connection) -> None:
        self.add(nova, "Agents")
        self.add(nova, "Agents", edition="2nd Edition")
        for columns in ({}, {"edition": "2nd Edition"}):
            with pytest.raises(errors.UniqueViolation):
                self.add(nova, "AGENTS", **columns)

    @pytest.mark.parametrize("columns", [{"summary": "short"}, {"insights": "short"}, {"work_type": "song"}])
    def test_incomplete_works_are_refused(self, nova: Connection, columns: dict[str, str]) -> None:
        with pytest.raises(errors.CheckViolation):
            self.add(nova, "Agents", **columns)


class TestJobs:
    def job(self, nova: Connection, parent: int | None = None) -> int:
        insert = "INSERT INTO agent_jobs (agent_name, parent_job_id) VALUES ('scout', %s) RETURNING id"
        return int(value(nova, insert, parent))

    def test_root_comes_from_the_parent(self, nova: Connection) -> None:
        root = self.job(nova)
        leaf = self.job(nova, self.job(nova, root))
        assert nova.execute("SELECT DISTINCT root_job_id FROM agent_jobs").fetchall() == [(root,)]
        nova.execute("UPDATE agent_jobs SET root_job_id = %s, status = 'completed'", [leaf])
        assert nova.execute("SELECT DISTINCT root_job_id FROM agent_jobs").fetchall() == [(root,)]

    def test_parent_stays(self, nova: Connection) -> None:
        first, second = self.job(nova), self.job(nova)
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="keeps its parent"):
            nova.execute("UPDATE agent_jobs SET parent_job_id = %s WHERE id = %s", [first, second])


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entities (name, type) VALUES ('x', 'planet')",
        "INSERT INTO entity_relationships (entity_a, entity_b, relationship) SELECT id, id, 'friend' FROM entities",
        "INSERT INTO entity_facts (entity_id, key, value, confidence) SELECT id, 'k', 'v', 1.5 FROM entities",
        "INSERT INTO projects (name, status) VALUES ('x', 'forgotten')",
        "INSERT INTO agents (name, access_method) VALUES ('*', 'cli')",
        "INSERT INTO agent_jobs (priority) VALUES (11)",
    ],
)
def test_nonsense_is_refused(nova: Connection, statement: str) -> None:
    nova.execute("INSERT INTO entities (name) VALUES ('druid')")
    with pytest.raises(errors.CheckViolation):
        nova.execute(statement)
