"""Dumps in pieces: what counts as a difference between two."""

from __future__ import annotations

import pytest

from novaops.execution.pg_dump import Entry, differences, entries
from novaops.execution.second_opinion import subjects


def dumped(*pieces: tuple[str, str, str]) -> str:
    """A dump as pg_dump writes it, of (name, type, text)."""
    text = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET default_tablespace = '';\n\n"
    for name, kind, body in pieces:
        text += f"--\n-- Name: {name}; Type: {kind}; Schema: public; Owner: -\n--\n\n{body}\n\n\n"
    return text + "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n"


def table(*columns: str) -> tuple[str, str, str]:
    return "t", "TABLE", "CREATE TABLE public.t (\n" + ",\n".join(f"    {c}" for c in columns) + "\n);"


def unlike(one: str, other: str) -> list[str]:
    return [str(entry) for entry in differences(entries(one), entries(other))]


def test_the_order_of_columns_is_no_difference() -> None:
    assert unlike(dumped(table("a integer", "b text")), dumped(table("b text", "a integer"))) == []


def test_a_column_of_another_type_is_one() -> None:
    assert unlike(dumped(table("a integer")), dumped(table("a bigint"))) == ["TABLE public.t"]


def test_the_order_of_labels_is_one() -> None:
    enums = [
        ("e", "TYPE", f"CREATE TYPE public.e AS ENUM (\n    {labels}\n);")
        for labels in ("'a',\n'b'", "'b',\n'a'")
    ]
    assert unlike(dumped(enums[0]), dumped(enums[1])) == ["TYPE public.e"]


def test_what_is_in_one_dump_only_is_one() -> None:
    trigger = ("t trg", "TRIGGER", "CREATE TRIGGER trg …;")
    assert unlike(dumped(table("a int"), trigger), dumped(table("a int"))) == ["TRIGGER public.t trg"]
    assert unlike(dumped(), dumped(trigger)) == ["TRIGGER public.t trg"]


def test_a_tablespace_belongs_to_what_follows() -> None:
    first, second = table("a int"), ("i", "INDEX", "CREATE INDEX i ON public.t (a);")
    with_tablespace = (first[0], first[1], f"{first[2]}\n\n\nSET default_tablespace = fast;")
    assert unlike(dumped(first, second), dumped(with_tablespace, second)) == ["INDEX public.i"]


def test_the_servers_own_counter_is_none() -> None:
    counted = f"{table('a int')[2]}\nALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=3);"
    options = (
        f"{table('a int')[2]}\nALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=3, n_distinct=5);"
    )
    assert unlike(dumped(table("a int")), dumped(("t", "TABLE", counted))) == []
    assert unlike(dumped(table("a int")), dumped(("t", "TABLE", options))) == ["TABLE public.t"]


def test_an_entry_outside_of_schemas_has_none_in_its_name() -> None:
    assert str(Entry("EXTENSION", "-", "vector")) == "EXTENSION vector"


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("t", "t"),
        ("my table my_key", "my table"),
        ("my table my_key", "my_key"),
        ("f(integer, text)", "f"),
        ('COLUMN "My Table".c', "My Table"),
        ("CONSTRAINT k ON t", "t"),
    ],
)
def test_the_names_in_a_tag_are_found(tag: str, name: str) -> None:
    assert name in set(subjects(tag))
