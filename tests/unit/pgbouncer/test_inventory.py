"""novaops.toml: what it declares, what is wrong in it, and edits that keep the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from novaops.diagnostics import DiagnosticsError
from novaops.errors import NovaopsError, UsageError
from novaops.pgbouncer import inventory_edit
from novaops.pgbouncer.inventory import Alias, Settings, Target, alias_name, read_inventory

DEFAULT = Target("nova_memory", "127.0.0.1", 5432)
ARGUS = Alias("argus_memory", "argus", DEFAULT, rationale='Logs "findings"')
TEXT = """\
# settings of the project
[connection]
database = "nova_memory"   # shared

[pgbouncer]
ini = "files/pgbouncer.ini"
pool_size = 4

# the first one
[[alias]]
name = "quill_memory"
user = "quill"     # writes
pool_mode = "transaction"

[schema]
file = "schema.sql"
"""


def read(tmp_path: Path, text: str, default: Target | None = DEFAULT) -> object:
    (tmp_path / "novaops.toml").write_text(text)
    return read_inventory(tmp_path / "novaops.toml", default)


def test_what_it_declares(tmp_path: Path) -> None:
    (tmp_path / "novaops.toml").write_text(TEXT)
    inventory = read_inventory(tmp_path / "novaops.toml", DEFAULT)
    assert inventory.settings.ini == tmp_path / "files/pgbouncer.ini"
    assert inventory.aliases == (Alias("quill_memory", "quill", DEFAULT, "transaction", 4),)
    assert inventory.find("quill") is inventory.aliases[0]
    assert inventory.find("quill_memory") is inventory.aliases[0]
    with pytest.raises(UsageError, match="no alias argus") as missing:
        inventory.find("argus")
    assert "quill_memory" in (missing.value.hint or "")


def test_no_file_declares_nothing(tmp_path: Path) -> None:
    assert read_inventory(tmp_path / "novaops.toml").aliases == ()


def test_an_agent_with_two_aliases_has_to_be_told_apart(tmp_path: Path) -> None:
    text = '[[alias]]\nname = "a"\nuser = "argus"\n[[alias]]\nname = "b"\nuser = "argus"\n'
    (tmp_path / "novaops.toml").write_text(text)
    with pytest.raises(UsageError, match="2 aliases"):
        read_inventory(tmp_path / "novaops.toml", DEFAULT).find("argus")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[pgbouncer]\ninn = "x"\n', 2, "unknown key inn"),
        ("[pgbouncer]\npool_size = true\n", 2, "must be a number"),
        ('[pgbouncer]\nreload = "maybe"\n', 2, "reload is 'maybe'"),
        ('[pgbouncer]\nconsole_password = "geheim"\n', 2, "must not hold a password"),
        ('[[alias]]\nname = "a"\n', 1, "no user"),
        ('[[alias]]\nname = "a"\nuser = "u"\n[[alias]]\nname = "a"\nuser = "v"\n', 5, "declared twice, first in line 1"),
        ('[[alias]]\nname = "a b"\nuser = "u"\n', 2, "cannot read ' '"),
        ('[[alias]]\nname = "a"\nuser = "u\\n"\n', 3, "control character"),
        ('[[alias]]\nname = "a"\nuser = "u"\npassword = "geheim"\n', 4, "must not hold a password"),
        ('[[alias]]\nname = "a"\nuser = "u"\npool_mode = "none"\n', 4, "pool_mode is 'none'"),
        ('[[alias]]\nname = "a"\nuser = "u"\npool_size = 0\n', 4, "at least 1"),
        ('alias = "x"\n', 1, "not a list of tables"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(DiagnosticsError) as wrong:
        read(tmp_path, text)
    (problem,) = wrong.value.diagnostics
    assert message in problem.message
    assert problem.source.line == line
    assert "geheim" not in f"{problem.message}{problem.hint}"


def test_an_alias_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticsError, match="nothing says where a leads"):
        read(tmp_path, '[[alias]]\nname = "a"\nuser = "u"\n', None)


def test_newer_names_by_a_version_in_the_file(tmp_path: Path) -> None:
    text = '[pgbouncer]\nversion = "1.25"\n[[alias]]\nname = "two words"\nuser = "u"\n'
    (tmp_path / "novaops.toml").write_text(text)
    assert read_inventory(tmp_path / "novaops.toml", DEFAULT).aliases[0].name == "two words"


def test_adding_keeps_every_other_byte(tmp_path: Path) -> None:
    new = inventory_edit.with_alias(TEXT, ARGUS, Settings())
    added = [line for line in new.splitlines() if line not in TEXT.splitlines()]
    assert added == [
        'name = "argus_memory"', 'user = "argus"', 'target = "nova_memory"', 'host = "127.0.0.1"', "port = 5432",
        'rationale = "Logs \\"findings\\""',
    ]  # fmt: skip
    assert inventory_edit.without_alias(new, "argus_memory") == TEXT
    assert inventory_edit.with_alias(new, ARGUS, Settings()) == new
    (tmp_path / "novaops.toml").write_text(new)
    assert [a.name for a in read_inventory(tmp_path / "novaops.toml", DEFAULT).aliases] == [
        "quill_memory",
        "argus_memory",
    ]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "[schema]\nfile = 'x'", "[schema]\nfile = 'x'\n"])
def test_the_first_alias(tmp_path: Path, text: str) -> None:
    new = inventory_edit.with_alias(text, ARGUS, Settings())
    assert new.startswith(text)
    (tmp_path / "novaops.toml").write_text(new)
    assert read_inventory(tmp_path / "novaops.toml").aliases == (ARGUS,)
    assert inventory_edit.without_alias(new, "argus_memory").rstrip("\n") == text.rstrip("\n")


def test_changing_and_renaming_keep_comments() -> None:
    changed = inventory_edit.with_alias(
        TEXT, Alias("quill_memory", "quill", DEFAULT, "session", 9), Settings(pool_size=4)
    )
    assert 'user = "quill"     # writes' in changed
    assert "pool_size = 9" in changed
    assert "transaction" not in changed
    assert "# the first one\n[[alias]]\n" in changed
    renamed = inventory_edit.renamed(TEXT, "quill_memory", "quill_notes")
    assert renamed == TEXT.replace("quill_memory", "quill_notes")


def test_names_of_aliases() -> None:
    assert alias_name("argus", Settings()) == "argus_memory"
    assert alias_name("nova-staging", Settings()) == "nova_staging_memory"
    assert alias_name("x", Settings(suffix="")) == "x"


def test_an_alias_that_is_no_table_is_not_edited() -> None:
    with pytest.raises(NovaopsError):
        inventory_edit.with_alias("alias = 1\n", ARGUS, Settings())
