"""The texts of both files: whole, or only novaops' own part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaops.errors import NovaopsError
from novaops.pgbouncer.grammar import read_ini
from novaops.pgbouncer.inventory import Alias, Settings, Target
from novaops.pgbouncer.render import HEAD, Wanted, outside, own_entries, own_users, render, template
from novaops.pgbouncer.userlist import read_userlist
from novaops.pgbouncer.version import OLDEST

INI, USERLIST = Path("/etc/pgbouncer/pgbouncer.ini"), Path("/etc/pgbouncer/userlist.txt")
ARGUS = Alias("argus_memory", "argus", Target("nova_memory", "127.0.0.1", 5432))
QUILL = Alias(
    "quill_memory", "quill", Target("it's nova", "db 2", 5433), pool_mode="transaction", pool_size=5
)
LINE = "argus_memory = host=127.0.0.1 port=5432 dbname=nova_memory pool_mode=session pool_size=3\n"


def wanted(*aliases: Alias, project: Path = Path("/nowhere"), **users: str) -> Wanted:
    return Wanted(Settings(ini=INI), OLDEST, aliases, users, USERLIST, project)


def test_whole_files() -> None:
    texts = render(wanted(ARGUS, QUILL, argus="secret"), None, None)
    assert texts.ini.startswith(HEAD)
    assert LINE in texts.ini
    assert "dbname='it''s nova'" in texts.ini
    ini = read_ini(INI, texts.ini)
    assert ini.setting("auth_file") == str(USERLIST)
    assert ini.setting("auth_type") == "scram-sha-256"
    assert read_userlist(USERLIST, texts.userlist).secrets() == {"argus": "secret"}
    assert render(wanted(ARGUS, QUILL, argus="secret"), texts.ini, texts.userlist) == texts


def test_settings_of_a_whole_file() -> None:
    given_settings = replace(wanted(ARGUS), settings=Settings(ini=INI, settings={"max_client_conn": "500"}))
    assert read_ini(INI, render(given_settings, None, None).ini).setting("max_client_conn") == "500"
    for bad in ({"x\ny": "1"}, {"a": "1\n[databases]"}, {"A b": "1"}):
        with pytest.raises(NovaopsError, match="cannot be a setting"):
            render(replace(wanted(ARGUS), settings=Settings(ini=INI, settings=bad)), None, None)


def test_the_own_part_stands_at_the_end_of_databases() -> None:
    text = "[databases]\na = host=h\n; examples:\n;b = host=h\n\n[pgbouncer]\nx = 1\n"
    lines = render(wanted(ARGUS), text, "").ini.splitlines(keepends=True)
    assert lines[:2] == ["[databases]\n", "a = host=h\n"]
    assert lines[2].startswith("; novaops begin aliases")
    assert lines[3:5] == [LINE, "; novaops end aliases\n"]
    assert "".join(lines[5:]) == "; examples:\n;b = host=h\n\n[pgbouncer]\nx = 1\n"


def test_the_own_part_stands_before_an_include_which_may_end_the_section(tmp_path: Path) -> None:
    (tmp_path / "x.ini").write_text("[users]\n")
    text = f"[pgbouncer]\n[databases]\n%include {tmp_path}/x.ini\n"
    new = render(wanted(ARGUS), text, "").ini
    assert new.index(LINE) < new.index("%include")


def test_without_a_section_databases_the_own_part_has_one() -> None:
    text = "[pgbouncer]\nx = 1"
    once = render(wanted(ARGUS), text, "")
    twice = render(wanted(ARGUS, QUILL), once.ini, once.userlist)
    assert set(read_ini(INI, twice.ini).databases()) == {"argus_memory", "quill_memory"}
    assert read_ini(INI, twice.ini).setting("x") == "1"
    assert render(wanted(), twice.ini, twice.userlist).ini == text


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n", "\n; the end"])
@pytest.mark.parametrize("order", ["databases first", "databases last"])
def test_adding_and_removing_leaves_every_byte(end: str, order: str) -> None:
    parts = [
        "[databases]\n\ta\t= host=h  port=1\n",
        "[pgbouncer]\nx = 1\n",
        "[users]\nu = pool_mode=session\n",
    ]
    if order == "databases last":
        parts = [*parts[1:], parts[0].rstrip("\n")]
    ini = "".join(parts) + end
    userlist = '; \udcff\n"x"  "y" # z' + end
    added = render(wanted(ARGUS, argus="s"), ini, userlist)
    assert outside(added.ini) == ini
    assert outside(added.userlist) == userlist
    more = render(wanted(ARGUS, QUILL, argus="s", quill="t"), added.ini, added.userlist)
    assert (outside(more.ini), outside(more.userlist)) == (ini, userlist)
    assert set(own_entries(more.ini, INI, OLDEST)) == {"argus_memory", "quill_memory"}
    assert own_users(more.userlist, USERLIST) == {"argus": "s", "quill": "t"}
    gone = render(wanted(), more.ini, more.userlist)
    assert (gone.ini, gone.userlist) == (ini, userlist)


ANY_LINES = st.lists(
    st.sampled_from(
        [
            "[databases]",
            "[pgbouncer]",
            "[users]",
            "a = host=h",
            "; c",
            "#c",
            "",
            "  ",
            "\t x = pool_mode=session ",
            "\r",
        ]
    ),
    max_size=12,
)


@given(ANY_LINES, st.sampled_from(["", "\n"]))
def test_whatever_people_write_stays(lines: list[str], end: str) -> None:
    ini = "\n".join(["[pgbouncer]", *lines]) + end
    try:
        added = render(wanted(ARGUS, argus="s"), ini, None)
    except NovaopsError:
        return
    assert outside(added.ini) == ini
    assert read_ini(INI, added.ini).databases()["argus_memory"].pairs["dbname"] == "nova_memory"
    assert render(wanted(), added.ini, added.userlist).ini == ini


def test_auth_query_is_a_setting_of_its_own_part() -> None:
    text = "[databases]\n[pgbouncer]\nx = 1\n[users]\n"
    by_query = replace(wanted(ARGUS, novaops_auth="s"), settings=Settings(ini=INI, auth="auth_query"))
    new = render(by_query, text, "")
    ini = read_ini(INI, new.ini)
    assert ini.setting("auth_query") == "SELECT usename, passwd FROM novaops.pgbouncer_auth($1)"
    assert ini.databases()["argus_memory"].pairs["auth_user"] == "novaops_auth"
    assert outside(new.ini) == text
    back = replace(by_query, aliases=(), users={})
    assert render(back, new.ini, new.userlist).ini == text
    with pytest.raises(NovaopsError, match="an auth_query of its own"):
        render(by_query, text.replace("x = 1", "auth_query = SELECT 1"), "")


def test_an_end_that_somebody_removed_is_refused() -> None:
    text = render(wanted(ARGUS), "[databases]\n[pgbouncer]\n", "").ini
    with pytest.raises(NovaopsError, match="do not match"):
        render(wanted(QUILL), text.replace("; novaops end aliases\n", ""), "")


def test_an_entry_that_would_override_the_own_part_is_refused() -> None:
    text = "[databases]\n[pgbouncer]\n[databases]\nargus_memory = host=elsewhere\n"
    with pytest.raises(NovaopsError, match="does not say what"):
        render(wanted(ARGUS), text, "")


def test_a_template_of_the_project_comes_first_and_cannot_let_anything_through(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    own = tmp_path / "templates" / "aliases.ini"
    own.write_text(
        "; ours\n{% for a in aliases %}{{ a.name | key }} ={% for k, v in a.pairs.items() %} {{ k }}={{ v | value }}"
        "{% endfor %}\n{% endfor %}\n"
    )
    assert "; ours\n" in render(wanted(QUILL, project=tmp_path), None, None).ini
    own.write_text("{% for a in aliases %}{{ a.name }} = dbname={{ a.pairs.dbname }}\n{% endfor %}\n")
    with pytest.raises(NovaopsError):
        render(wanted(QUILL, project=tmp_path), None, None)
    own.write_text("{% for a in aliases %}\n{{ nothing }}{% endfor %}\n")
    with pytest.raises(NovaopsError, match="cannot be rendered"):
        render(wanted(QUILL, project=tmp_path), None, None)


@pytest.mark.parametrize(
    ("word", "written"),
    [("/etc/p.ini", "/etc/p.ini"), ("/a b/%i", '"/a b/%%i"'), ('/$x"\\', '"/$$x\\"\\\\"')],
)
def test_words_of_a_systemd_unit(word: str, written: str) -> None:
    values = {"account": "postgres", "program": "/usr/sbin/pgbouncer", "ini": word}
    assert f"ExecStart=/usr/sbin/pgbouncer {written}\n" in template("pgbouncer.service", values, wanted())


def test_nothing_shows_the_texts() -> None:
    assert "geheim" not in repr(render(wanted(ARGUS, argus="geheim"), None, None))
