"""novaops' parsers and quoting against the only judge: pgbouncer itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from novaops.errors import NovaopsError
from novaops.pgbouncer.grammar import read_ini
from novaops.pgbouncer.inventory import Alias, Settings, Target, checked
from novaops.pgbouncer.names import quote_user, refuse_alias, refuse_secret
from novaops.pgbouncer.render import Wanted, render
from novaops.pgbouncer.scratch import Scratch, try_out
from novaops.pgbouncer.userlist import read_userlist
from novaops.pgbouncer.version import program_version
from tests.pooler import program_or_skip

INI = Path("/nowhere/pgbouncer.ini")
USERLIST = Path("/nowhere/userlist.txt")
MAIN = "[pgbouncer]\nlisten_port = 1\n"
# What people and worse may type; single characters that mean something to one of the grammars are likely.
SPECIAL = st.sampled_from(
    [*" \t\n\r\v\f'\"#;%[]=*.-_\\$`", "''", '""', "\x00", "\x7f", "é", "名", "\u2028", "%include "]
)
NAMES = st.lists(
    st.one_of(SPECIAL, st.text(max_size=3), st.text("abcXYZ09_", min_size=1, max_size=12)), max_size=8
).map("".join)
TRIED = [
    "argus_memory", "naïve", "名前", "two words", "it's", '"quoted"', "a#b", "#a", ";a", "a;b", "x" * 63, "x" * 64,
    "é" * 31, "é" * 32, "pgbouncer", "*", "a\nb", "a\r", "a\tb", '"; drop', "'; drop table users; --", "", " ", "[users]",
    "%include /etc/passwd", "a=b", "a = host=evil", "dbname", "a.b-c_d*", "\\", "\x00", "a\u2028b", "🦊",
]  # fmt: skip
QUICK = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def rendered(alias: Alias, secret: str) -> tuple[str, str]:
    program = program_or_skip()
    version = program_version(program)
    checked(alias, version)
    if refused := refuse_secret(secret):
        raise refused.error("the secret")
    wanted = Wanted(Settings(ini=INI), version, (alias,), {alias.user: secret}, USERLIST, Path("/nowhere"))
    own = render(wanted, f"[databases]\n{MAIN}", "")
    whole = render(wanted, None, None)
    assert read_ini(INI, own.ini, version).databases()[alias.name].pairs["dbname"] == alias.target.database
    assert read_ini(INI, whole.ini, version).databases()[alias.name].pairs["dbname"] == alias.target.database
    return own.ini, own.userlist


def served(ini: str, userlist: str) -> Scratch:
    return try_out(program_or_skip(), ini, userlist)


def judged(alias: Alias, secret: str) -> bool:
    """Whether it was rendered; if so, pgbouncer says back exactly what was meant, and nothing else."""
    refused: NovaopsError | None = None
    try:
        ini, userlist = rendered(alias, secret)
    except NovaopsError as error:
        refused = error
    if refused is not None:
        assert refused.message
        assert refused.hint
        return False
    found = served(ini, userlist)
    (row,) = [row for row in found.databases if row["name"] != "pgbouncer"]
    assert (row["name"], row["host"], row["port"], row["database"], row["pool_mode"], row["pool_size"]) == (
        alias.name, alias.target.host, str(alias.target.port), alias.target.database, "session", "3"
    )  # fmt: skip
    assert found.users - {"pgbouncer"} == {alias.user} - {"pgbouncer"}
    assert read_userlist(USERLIST, userlist).secrets() == {alias.user: secret}
    return True


@pytest.mark.parametrize("name", TRIED)
def test_names_that_were_thought_of(name: str) -> None:
    """As an alias, and as the name of a database, a role, a password."""
    program_or_skip()
    as_alias = judged(Alias(name, "argus", Target("nova_memory", "127.0.0.1", 5432)), "secret")
    as_database = judged(Alias("argus_memory", "argus", Target(name, "127.0.0.1", 5432)), "secret")
    as_user = judged(Alias("argus_memory", name, Target("nova_memory", "127.0.0.1", 5432)), "secret")
    judged(Alias("argus_memory", "argus", Target("nova_memory", "127.0.0.1", 5432)), name)
    fits = 0 < len(name.encode()) <= 63 and name.isprintable()
    if fits:
        assert as_database
        assert as_user
    assert as_alias == (fits and refuse_alias(name) is None)


@QUICK
@given(NAMES, NAMES, NAMES, NAMES)
def test_any_names(name: str, database: str, user: str, secret: str) -> None:
    program_or_skip()
    judged(Alias(name, user, Target(database, "127.0.0.1", 5432)), secret)
    judged(Alias("fine", user, Target(database, "127.0.0.1", 5432)), secret)


@QUICK
@given(NAMES.filter(lambda n: n and "\n" not in n and "\x00" not in n))
@example('"two words"')
@example("é")
def test_what_is_refused_as_an_alias_cannot_be_written(name: str) -> None:
    """No refusal without need: as it stands, the line is an error to pgbouncer, or means another name."""
    program = program_or_skip()
    if refuse_alias(name, program_version(program)) is None or not encode_or_none(name):
        return
    try:
        found = served(f"[databases]\n{name} = host=127.0.0.1\n{MAIN}", "")
    except NovaopsError:
        return
    assert name not in {row["name"] for row in found.databases} - {"pgbouncer"} or name == "*"


def encode_or_none(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


KNOWN = [
            "[databases]", "[users]", "[databases] x = host=1.2.3.4", "; c", " # c", "", "\t", "[oops]", "[databases",
            "a = host=127.0.0.1", "a=", "b = ", "b = dbname='x'y port=7", "c = dbname='it''s'", "c = dbname='open",
            "d = host=127.0.0.1\tport=7", "e = host = 1.2.3.4 dbname =x", "f = pool_size=abc", "g = port=x", "g = port=0", "g = port=7x",
            "h = pool_mode=TRANSACTION", "h = pool_mode=never", "i = nokey=1", "j host=1", "u = pool_mode=session",
            "= host=1.2.3.4", "k.l-m_* = dbname=''", "n = dbname='' port=1", "o = user=someone password='p q'",
            "pgbouncer = host=1.2.3.4", "q\f= host=1.2.3.4", "r = dbname=\"x y\"", "s=dbname=a#b ; c",
            "x" * 63 + " = port=1", "x" * 64 + " = port=1",
]  # fmt: skip
LINES = st.lists(
    st.one_of(
        st.sampled_from(KNOWN), NAMES.map(lambda n: f"z = dbname={n}"), NAMES.map(lambda n: f"{n} = port=1")
    ),
    max_size=6,
)


def compared(text: str) -> None:
    """Both refuse the text, or both see the same databases."""
    ini = read_ini(INI, text, program_version(program_or_skip()))
    why: str | None = None
    found: Scratch | None = None
    try:
        found = served(text, "")
    except NovaopsError as error:
        why = error.detail
    assert (found is None) == bool(ini.errors), (text, ini.errors, why)
    if found is None:
        return
    shown = {
        row["name"]: (row["host"], row["database"]) for row in found.databases if row["name"] != "pgbouncer"
    }
    meant = {
        name: (entry.pairs.get("host", ""), entry.pairs.get("dbname", name))
        for name, entry in ini.databases().items()
        if name != "*"
    }
    assert shown == meant


@pytest.mark.parametrize("line", KNOWN)
def test_the_parser_reads_each_line_as_pgbouncer_does(line: str) -> None:
    compared(f"[databases]\nfirst = host=10.0.0.1\n{line}\nlast = host=10.0.0.2\n{MAIN}")


@settings(parent=QUICK, max_examples=150)
@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_the_parser_reads_what_pgbouncer_reads(lines: list[str], line_end: str) -> None:
    text = line_end.join(["[databases]", *lines, MAIN])
    if "\x00" not in text and encode_or_none(text) is not None and "%include" not in text:
        compared(text)


@QUICK
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ['"a" "b"', '"a""b" "c"', "; x", "# x", "", '"open', '"a"', '"a" b "c"', "x", '"a" "b" c']
            ),
            st.tuples(NAMES, NAMES).map(lambda pair: f"{quote_user(pair[0])} {quote_user(pair[1])}"),
        ),
        max_size=5,
    )
)
def test_the_userlist_is_read_as_pgbouncer_reads_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    if "\x00" in text or encode_or_none(text) is None:
        return
    found = served(f"[databases]\n{MAIN}", text)
    mine = {user.name for user in read_userlist(USERLIST, text).users}
    assert found.users - {"pgbouncer"} == mine - {"pgbouncer"}
