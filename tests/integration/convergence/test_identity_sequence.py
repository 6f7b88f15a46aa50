"""Privileges and comments on the sequences of identity columns."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.integration.convergence.conftest import Converge

IDENTITY = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, b int)"
PLAIN = "CREATE TABLE t (id int NOT NULL, b int)"
SERIAL = "CREATE TABLE t (id serial, b int)"
PARTITIONED = f"{IDENTITY} PARTITION BY LIST (b); CREATE TABLE p PARTITION OF t DEFAULT"
SAID = (
    "GRANT USAGE ON SEQUENCE t_id_seq TO PUBLIC; GRANT SELECT, USAGE ON SEQUENCE t_id_seq TO pg_monitor WITH GRANT OPTION;"
    " COMMENT ON SEQUENCE t_id_seq IS 'numbers'"
)
OTHER = "GRANT SELECT ON SEQUENCE t_id_seq TO PUBLIC; COMMENT ON SEQUENCE t_id_seq IS 'others'"
RENAMED = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME numbers), b int)"


@pytest.mark.parametrize(("old", "new"), [("", SAID), (SAID, ""), (SAID, OTHER)])
@pytest.mark.parametrize("table", [IDENTITY, PARTITIONED])
def test_are_set_and_taken_away(converge: Converge, table: str, old: str, new: str) -> None:
    statements = converge(f"{table}; {old}", f"{table}; {new}")
    assert statements
    assert all("ON SEQUENCE" in s for s in statements)


@pytest.mark.parametrize("old", ["", "CREATE TABLE t (b int)", PLAIN, SERIAL, f"{SERIAL}; {OTHER}"])
def test_come_with_a_new_identity(converge: Converge, old: str) -> None:
    converge(old, f"{IDENTITY}; {SAID}")


@pytest.mark.parametrize("new", ["", "CREATE TABLE t (b int)", PLAIN, SERIAL, f"{SERIAL}; {OTHER}"])
def test_go_with_the_identity(converge: Converge, new: str) -> None:
    """The column stays where it can."""
    statements = converge(f"{IDENTITY}; {SAID}", new)
    assert any("DROP COLUMN id" in s for s in statements) == (new == "CREATE TABLE t (b int)")


@pytest.mark.parametrize(("old", "new"), [(IDENTITY, RENAMED), (RENAMED, IDENTITY)])
def test_a_renamed_sequence_had_some(converge: Converge, old: str, new: str) -> None:
    before, after = (
        f"{table}; {said}".replace("t_id_seq", "numbers") if table is RENAMED else f"{table}; {said}"
        for table, said in ((old, SAID), (new, OTHER))
    )
    converge(before, after)


@pytest.mark.parametrize(("old", "new"), [(IDENTITY, PARTITIONED), (PARTITIONED, IDENTITY)])
@pytest.mark.parametrize("busy", [(), ("t",)])
def test_outlive_a_table_made_anew(converge: Converge, old: str, new: str, busy: tuple[str, ...]) -> None:
    converge(f"{old}; {SAID}", f"{new}; {SAID}", busy=busy)


def test_revoking_on_the_column_leaves_them(converge: Converge) -> None:
    column = "GRANT SELECT (id) ON t TO pg_monitor"
    converge(f"{IDENTITY}; {SAID}; {column}", f"{IDENTITY}; {SAID}")
    converge(f"{IDENTITY}; {SAID}; {column}", IDENTITY)


@pytest.fixture(scope="module")
def owner(server_url: str) -> Iterator[str]:
    name = "novaops_numbers_owner"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}")
        yield name
        connection.execute(f"DROP ROLE {name}")


def test_the_owner_of_the_table_decides_what_they_start_with(converge: Converge, owner: str) -> None:
    """Whoever adds the identity, the sequence gets the default privileges of the table's owner."""
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SEQUENCES TO pg_monitor;"
    owned = f"; ALTER TABLE t OWNER TO {owner}"
    revoked = "; REVOKE ALL ON SEQUENCE t_id_seq FROM pg_monitor"
    converge(defaults + PLAIN + owned, defaults + IDENTITY + owned + revoked)
