"""An apply stops for consent where a large table would keep others waiting, also where only the rehearsal shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from novaops.errors import RefusedError
from novaops.kinds import column_work
from novaops.project import Options, Project

LARGE = "INSERT INTO {} SELECT generate_series(1, 4000), 'x';"
TABLES = "CREATE TABLE a (id int, b text); CREATE TABLE z (id int, b text);"


@pytest.fixture
def project(new_database: Callable[..., str], tmp_path: Path) -> Callable[[str, str], Project]:
    """A project of a database made by the first text, with files of the second."""

    def make(old: str, new: str) -> Project:
        url = new_database("outage")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(old)
        (tmp_path / "schema.sql").write_text(new)
        return Project(url, tmp_path / "schema.sql", Options(ignore_file=None))

    return make


def test_a_rewrite_waits_for_consent(project: Callable[[str, str], Project]) -> None:
    with project(TABLES + LARGE.format("a"), TABLES.replace("a (id int", "a (id bigint")) as made:
        plan = made.plan()
        assert [h.consent for h in plan.blocked] == ["rewrite:public.a"]
        assert [h.consent for c in plan.changes for h in c.hazards] == ["rewrite:public.a"]
        with pytest.raises(RefusedError, match=r"rewrite:public\.a"):
            made.apply(plan)
        assert made.apply(allow=["H202:public.a"]).left == ()


def test_a_small_table_is_nobodys_concern(project: Callable[[str, str], Project]) -> None:
    with project(
        TABLES + "INSERT INTO a VALUES (1, 'x')", TABLES.replace("a (id int", "a (id bigint")
    ) as made:
        assert made.apply().left == ()


def test_what_is_locked_while_another_table_is_rewritten(project: Callable[[str, str], Project]) -> None:
    new = "CREATE TABLE a (id int, b text, c int); CREATE TABLE z (id bigint, b text);"
    with project(TABLES + LARGE.format("a") + LARGE.format("z"), new) as made:
        plan = made.plan(["rewrite"])
        assert plan.blocked == ()
        with pytest.raises(RefusedError, match=r"table-lock:public\.a"):
            made.apply(plan)
        (held,) = made.rehearse(plan).blocked
        assert held.message == "stays locked while statement 2 is at work on public.z"
        made.connection.execute("TRUNCATE a")
        assert made.apply(made.plan(["rewrite"])).left == ()


def test_a_rewrite_that_only_the_rehearsal_shows(
    project: Callable[[str, str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_work, "stored_otherwise", lambda *_: False)
    with project(TABLES + LARGE.format("a"), TABLES.replace("a (id int", "a (id bigint")) as made:
        plan = made.plan()
        assert plan.blocked == ()
        with pytest.raises(RefusedError, match=r"rewrite:public\.a"):
            made.apply(plan)
        assert made.apply(plan, allow=["all"]).left == ()
