"""Where settings come from, which place wins, and what is never shown."""

from __future__ import annotations

import json
import os
import pwd
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from novaops.config import Config, Setting, load, run_password_command
from novaops.diagnostics import DiagnosticsError
from novaops.durations import parse_duration
from novaops.errors import NovaopsError, UsageError

USER = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def resolve(tmp_path: Path) -> Any:
    def run(
        environment: dict[str, str] | None = None,
        toml: str | None = None,
        postgres_json: Any = None,
        **flags: Any,
    ) -> Config:
        if toml is not None:
            (tmp_path / "novaops.toml").write_text(toml)
        if postgres_json is not None:
            (tmp_path / ".openclaw").mkdir(exist_ok=True)
            (tmp_path / ".openclaw/postgres.json").write_text(json.dumps(postgres_json))
        return load(flags, environment=environment or {}, directory=tmp_path, home=tmp_path)

    return run


def origin(config: Config, name: str) -> tuple[str, str]:
    return next((line.value, line.origin) for line in config.explain() if line.name == name)


def test_defaults(resolve: Any) -> None:
    config = resolve()
    assert config.connection.conninfo() == {
        "host": "localhost",
        "port": "5432",
        "user": USER,
        "dbname": f"{USER}_memory".replace("-", "_"),
    }
    assert not config.connection.embedded.value
    assert config.schema.lock_timeout == Setting(timedelta(seconds=3), "default")
    assert config.schema.schemas.value == ()


def test_default_database_follows_the_user_without_dashes(resolve: Any) -> None:
    assert resolve(user="nova-staging").connection["dbname"] == "nova_staging_memory"


def test_each_place_wins_over_the_next(resolve: Any) -> None:
    places: list[tuple[str, dict[str, Any]]] = [
        ("~/.openclaw/postgres.json", {"postgres_json": {"host": "json"}}),
        ("novaops.toml", {"toml": "[connection]\nhost = 'toml'\n"}),
        ("PGHOST", {"PGHOST": "pg"}),
        ("DATABASE_URL", {"DATABASE_URL": "postgresql://database-url/"}),
        ("NOVAOPS_URL", {"NOVAOPS_URL": "postgresql://novaops-url/"}),
        ("NOVAOPS_HOST", {"NOVAOPS_HOST": "novaops"}),
        ("--url", {"url": "postgresql://flag-url/"}),
        ("--host", {"host": "flag"}),
    ]
    environment: dict[str, str] = {}
    given: dict[str, Any] = {}
    for place, values in places:
        if place.isupper():
            environment |= values
        else:
            given |= values
        config = resolve(environment, **given)
        assert origin(config, "host")[1] == place


def test_places_complete_each_other(resolve: Any) -> None:
    config = resolve(
        {"DATABASE_URL": "postgresql://db1/nova?sslmode=require", "PGUSER": "quill", "PGHOST": "elsewhere"},
        toml="[connection]\nport = 6000\n",
    )
    assert config.connection.conninfo() == {
        "host": "db1",
        "dbname": "nova",
        "sslmode": "require",
        "user": "quill",
        "port": "6000",
    }
    assert origin(config, "user") == ("quill", "PGUSER")
    assert origin(config, "port") == ("6000", "novaops.toml")
    assert origin(config, "sslmode") == ("require", "DATABASE_URL")


@pytest.mark.parametrize(
    "keys",
    [
        {"host": "h", "port": 5, "database": "d", "user": "u", "password": "p"},
        {"PGHOST": "h", "PGPORT": "5", "PGDATABASE": "d", "PGUSER": "u", "PGPASSWORD": "p"},
        {"pghost": "h", "pgport": "5", "dbname": "d", "username": "u", "password": "p", "comment": "kept"},
        {"url": "postgresql://u:p@h:5/d"},
    ],
)
def test_postgres_json(resolve: Any, keys: dict[str, Any]) -> None:
    found = resolve(postgres_json=keys).connection.conninfo()
    assert found == {"host": "h", "port": "5", "dbname": "d", "user": "u", "password": "p"}


def test_password_goes_only_where_it_belongs(resolve: Any) -> None:
    stored = {"host": "h", "user": "u", "password": "json-secret"}
    assert resolve(postgres_json=stored).connection.conninfo()["password"] == "json-secret"
    assert "password" not in resolve(host="other").connection.conninfo()
    assert "password" not in resolve({"PGUSER": "other"}).connection.conninfo()
    assert resolve({"PGPASSWORD": "env"}, host="other").connection.conninfo()["password"] == "env"


def test_secrets_are_never_shown(resolve: Any) -> None:
    config = resolve(
        {
            "DATABASE_URL": "postgresql://u:url-secret@h/d",
            "NOVAOPS_SHADOW": "postgresql://u:url-secret@h/s?a=b",
        }
    )
    assert config.connection.conninfo()["password"] == "url-secret"
    assert "url-secret" not in repr(config.connection)
    assert "url-secret" not in repr(config.explain())
    assert origin(config, "password") == ("********", "DATABASE_URL")
    assert origin(config, "shadow")[0] == "postgresql://u:********@h/s?a=b"


def test_bad_url_is_not_repeated(resolve: Any) -> None:
    with pytest.raises(UsageError) as failed:
        resolve(url="postgresql://u:se%cret@h:x:y/d")
    assert "se%cret" not in f"{failed.value.message}{failed.value.detail}{failed.value.hint}"


def test_service_leaves_the_rest_to_libpq(resolve: Any) -> None:
    config = resolve({"PGSERVICE": "prod", "PGHOST": "h"}, toml="[connection]\nhost = 't'\n", database="d")
    assert config.connection.conninfo() == {"dbname": "d", "service": "prod"}
    config = resolve({"PGHOST": "h"}, toml="[connection]\nservice = 'prod'\n", postgres_json={"user": "u"})
    assert config.connection.conninfo() == {"host": "h", "service": "prod"}


def test_password_command(resolve: Any) -> None:
    program = "import sys; print(sys.argv[1]); print('second line')"
    command = json.dumps(f'{sys.executable} -c "{program}" "$HOME; x"')
    config = resolve(toml=f"[connection]\npassword_command = {command}\n")
    assert config.connection.conninfo()["password"] == "$HOME; x"  # no shell has seen it
    assert origin(config, "password") == ("********", "password_command of novaops.toml")
    assert resolve({"PGPASSWORD": "env"}).connection.conninfo()["password"] == "env"


@pytest.mark.parametrize(
    "command", ["/no/such/program sesame", "false sesame", "true sesame", "'unclosed sesame", " "]
)
def test_password_command_that_fails(command: str) -> None:
    with pytest.raises(NovaopsError) as failed:
        run_password_command(Setting(command, "novaops.toml"))
    assert "novaops.toml" in failed.value.message
    assert "sesame" not in f"{failed.value.message}{failed.value.detail}{failed.value.hint}"


def test_schema_options(resolve: Any) -> None:
    config = resolve(
        {"NOVAOPS_SCHEMAS": "public, audit", "NOVAOPS_LOCK_WAIT": "5min"},
        toml="[schema]\nfile = 'db/'\nscope = 'database'\nlock_timeout = '500ms'\nschemas = ['x']\n",
        privileges="additive",
        schemas=(),
    )
    schema = config.schema
    assert schema.file == Setting("db/", "novaops.toml")
    assert schema.schemas == Setting(("public", "audit"), "NOVAOPS_SCHEMAS")
    assert schema.privileges == Setting("additive", "--privileges")
    assert schema.lock_timeout.value == timedelta(milliseconds=500)
    assert schema.lock_wait.value == timedelta(minutes=5)
    assert resolve(schemas=("one",)).schema.schemas == Setting(("one",), "--schema")


def test_embedded_only_when_told(resolve: Any) -> None:
    assert resolve(embedded=True).connection.embedded == Setting(True, "--embedded")
    assert resolve({"NOVAOPS_EMBEDDED": "1"}).connection.embedded.value
    assert not resolve({"NOVAOPS_EMBEDDED": "0"}).connection.embedded.value
    assert resolve(toml="[connection]\nembedded = true\n").connection.embedded == Setting(
        True, "novaops.toml"
    )


@pytest.mark.parametrize("flags", [{"scope": "galaxy"}, {"lock_timeout": "soon"}, {"lock_wait": "3"}])
def test_bad_values_are_usage_errors(resolve: Any, flags: dict[str, str]) -> None:
    with pytest.raises(UsageError) as failed:
        resolve(**flags)
    assert failed.value.hint


@pytest.mark.parametrize(
    ("toml", "line", "message", "hint"),
    [
        (
            "[connection]\nhost = 'h'\nprot = 5432\n",
            3,
            "unknown key prot in [connection]",
            "did you mean port?",
        ),
        ("[schema]\n\n[conection]\n", 3, "unknown section [conection]", "did you mean connection?"),
        ("[schema]\nzzz = 1\n", 2, "unknown key zzz in [schema]", "there is: check_functions, file"),
        ("[connection]\npassword = 'sesame'\n", 2, "must not hold a password", "password_command"),
        (
            "[connection]\nurl = 'postgresql://u:sesame@h/'\n",
            2,
            "must not hold a password",
            "password_command",
        ),
        ("[connection]\nport = 'x'\n", 2, "must be a number", None),
        ("[schema]\nschemas = 'x'\n", 2, "must be a list", None),
        ("connection = 1\n", 1, "connection is not a section", "write [connection]"),
        ("[connection]\nhost = \n", 2, "Invalid value", None),
    ],
)
def test_findings_in_the_file(resolve: Any, toml: str, line: int, message: str, hint: str | None) -> None:
    with pytest.raises(DiagnosticsError) as failed:
        resolve(toml=toml)
    found = failed.value.diagnostics[0]
    assert found.source.line == line
    assert message in found.message
    assert hint is None or hint in (found.hint or "")
    assert "sesame" not in repr(found)


def test_capabilities_read_their_own_sections(resolve: Any) -> None:
    config = resolve(toml="[[replication]]\ntarget = 'x'\n[connection]\nhost = 'h'\n")
    assert config.sections == {"replication": [{"target": "x"}]}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("3s", 3), ("500ms", 0.5), ("1.5min", 90), ("2 h", 7200), ("1m", 60)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "3", "s", "-1s", "3 fortnights", "1s2s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_check_functions(resolve: Any) -> None:
    assert origin(resolve({}), "check_functions") == ("auto", "default")
    assert origin(resolve({"NOVAOPS_CHECK_FUNCTIONS": "off"}), "check_functions")[0] == "off"
    assert origin(resolve(check_functions="strict"), "check_functions") == ("strict", "--check-functions")
    with pytest.raises(UsageError, match="check_functions"):
        resolve({"NOVAOPS_CHECK_FUNCTIONS": "no"})


def test_the_journal_is_a_switch(resolve: Any) -> None:
    assert origin(resolve({}), "journal") == ("yes", "default")
    assert origin(resolve({"NOVAOPS_JOURNAL": "no"}), "journal") == ("no", "NOVAOPS_JOURNAL")
    assert origin(resolve(journal="off"), "journal") == ("no", "--no-journal")
    with pytest.raises(UsageError, match="journal"):
        resolve({"NOVAOPS_JOURNAL": "sometimes"})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((), ("none", "default")),
        ((".pgschemaignore",), (".pgschemaignore", "nearest to the schema file")),
        (
            (".pgschemaignore", "database/.pgschemaignore"),
            ("database/.pgschemaignore", "nearest to the schema file"),
        ),
        (
            (".pgschemaignore", "database/.pgschemaignore", "database/sql/.pgschemaignore"),
            ("database/sql/.pgschemaignore", "nearest to the schema file"),
        ),
    ],
)
@pytest.mark.parametrize("file", ["database/sql/schema.sql", "database/sql"])
def test_the_nearest_ignore_file_is_read(
    resolve: Any, tmp_path: Path, files: tuple[str, ...], expected: tuple[str, str], file: str
) -> None:
    (tmp_path / "database/sql").mkdir(parents=True)
    for name in files:
        (tmp_path / name).touch()
    assert origin(resolve(file=file), "ignore_file") == expected


def test_an_ignore_file_of_another_project(resolve: Any, tmp_path: Path) -> None:
    here, project = tmp_path / "here", tmp_path / "project"
    (project / "sql").mkdir(parents=True)
    here.mkdir()

    def found() -> str | None:
        flags = {"file": str(project / "sql/schema.sql")}
        return load(flags, environment={}, directory=here, home=tmp_path).schema.ignore_file.value

    (project / ".pgschemaignore").touch()
    assert found() is None  # nothing says that the folder belongs to the file
    (here / ".pgschemaignore").touch()
    assert found() == ".pgschemaignore"
    (project / "novaops.toml").touch()
    assert found() == str((project / ".pgschemaignore").resolve())


def test_an_ignore_file_by_name(resolve: Any, tmp_path: Path) -> None:
    (tmp_path / ".pgschemaignore").touch()
    (tmp_path / "other").touch()
    config = resolve(toml='[schema]\nignore_file = "other"')
    assert origin(config, "ignore_file") == ("other", "novaops.toml")
    with pytest.raises(UsageError, match="NOVAOPS_IGNORE_FILE: there is no file missing"):
        resolve({"NOVAOPS_IGNORE_FILE": "missing"})
