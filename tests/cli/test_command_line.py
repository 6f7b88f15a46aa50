"""What needs no server: help, laziness, pages, completion, pipes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from novaops.cli import COMMANDS
from novaops.cli import novaops as group
from novaops.cli.options import FormatOption
from novaops.cli.repeated import without_password
from novaops.planning.hazard_codes import HAZARDS, consent

HEAVY = ("psycopg", "sqlglot", "rich", "jinja2", "tomlkit")
CLI = Path(__file__).parents[2] / "novaops" / "cli"


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments: list[str], environment: dict[str, str]) -> None:
    code = (
        "import sys\nfrom novaops.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n"
        f"    assert end.code == 0\nheavy = [m for m in {HEAVY!r} if m in sys.modules]\nassert not heavy, heavy"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage: novaops")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    context = click.Context(group)
    command = group.get_command(context, name)
    assert command is not None
    assert command.help
    several = isinstance(command, click.Group)
    leaves = (
        [command.get_command(context, n) for n in command.list_commands(context)] if several else [command]
    )
    assert leaves
    for leaf in leaves:
        assert leaf is not None
        assert leaf.help
        assert leaf.epilog, name
        for parameter in leaf.params:
            if isinstance(parameter, click.Option) and parameter.name != "output_format":
                assert parameter.help, (name, parameter.name)


def test_commands_stay_short() -> None:
    files = [
        file
        for name in COMMANDS
        for file in (CLI / f"{name}.py", *(CLI / name).glob("*.py"))
        if file.exists()
    ]
    assert len(files) >= len(COMMANDS)
    for file in files:
        assert len(file.read_text().splitlines()) <= 80, file


def test_an_unknown_command_is_a_usage_error(novaops) -> None:
    result = novaops("plann")
    assert result.returncode == 2
    assert "No such command 'plann'" in result.stderr


def test_an_unknown_option_is_a_usage_error(novaops) -> None:
    assert novaops("plan", "--no-such").returncode == 2


def test_explain_lists_every_hazard(novaops) -> None:
    result = novaops("explain")
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        [h.code, h.name] for h in HAZARDS.values()
    ]


def test_every_command_has_json_and_a_short_form_of_it() -> None:
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        leaves = (
            [command.get_command(context, n) for n in command.list_commands(context)]
            if isinstance(command, click.Group)
            else [command]
        )
        for leaf in leaves:
            formats = [p for p in leaf.params if isinstance(p, FormatOption)]
            if name == "completion":
                assert not formats, "it prints a script"
                continue
            (option,) = formats
            assert "json" in option.type.choices
            assert (
                leaf.make_context(name, ["--json"], resilient_parsing=True).params["output_format"] == "json"
            )


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_a_list_of_commands_cuts_no_sentence_off(name: str) -> None:
    output = CliRunner().invoke(group, [*filter(None, [name]), "--help"], terminal_width=80).output
    assert [line for line in output.splitlines()[1:] if line.endswith("...")] == []


@pytest.mark.parametrize("hazard", HAZARDS.values(), ids=lambda h: h.code)
def test_every_hazard_has_a_page(hazard) -> None:
    pages = [
        CliRunner().invoke(group, ["explain", text])
        for text in (hazard.name, hazard.code, hazard.code.lower())
    ]
    assert {page.exit_code for page in pages} == {0}
    (text,) = {page.output for page in pages}
    assert text.startswith(f"# {hazard.code} {hazard.name}: {hazard.title}\n")


def test_explain_as_json(novaops) -> None:
    assert json.loads(novaops("explain", "--format", "json").stdout)["hazards"][0]["code"] == "H101"
    page = json.loads(novaops("explain", "H101", "--format", "json").stdout)
    assert (page["format_version"], page["name"]) == (1, "data-loss")


@pytest.mark.parametrize(("wrong", "right"), [("data-los", "data-loss"), ("h10", "H10"), ("al", "all")])
def test_a_misspelt_hazard_is_guessed(novaops, wrong: str, right: str) -> None:
    for result in (novaops("explain", wrong), novaops("apply", "--allow", f"{wrong}")):
        assert result.returncode == 2
        assert f"there is no hazard '{wrong}'" in result.stderr
        assert f"hint: did you mean {right}" in result.stderr


def test_consent_is_by_name() -> None:
    assert consent("H101:public.t.c") == "data-loss:public.t.c"
    assert consent("data-loss:public.f(a text, b integer)") == "data-loss:public.f(a text, b integer)"
    assert consent("ALL") == "all"


def test_consent_to_no_object(novaops) -> None:
    result = novaops("apply", "--allow", "data-loss:")
    assert result.returncode == 2
    assert "names no object" in result.stderr


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            "postgresql://nova:s3:cret@db1:5432/nova?sslmode=require",
            "postgresql://nova@db1:5432/nova?sslmode=require",
        ),
        ("postgresql://nova@a:1,b:2/nova?password=x", "postgresql://nova@a:1,b:2/nova"),
        ("postgresql://[::1]/nova", "postgresql://[::1]/nova"),
        (
            "postgresql://nova@db1/nova?sslpassword=x&sslmode=require",
            "postgresql://nova@db1/nova?sslmode=require",
        ),
        ("host=db1 password='s3 cret' user=nova sslpassword=x", "host=db1 user=nova "),
        ("embedded", "embedded"),
    ],
)
def test_no_password_in_the_next_command(given: str, shown: str) -> None:
    assert without_password(given) == shown


def test_a_hint_repeats_what_the_call_is_about(novaops) -> None:
    result = novaops(
        *("plan", "--url", "postgresql://nova:s3cret@127.0.0.1:1/it's", "--file", "my $schema.sql"),
        *("--schema", "a b", "--schema", "c", "--check", "--format", "json", "--quiet"),
    )
    assert result.returncode == 1
    again = shlex.join(
        [
            *("novaops", "config", "explain", "--url", "postgresql://nova@127.0.0.1:1/it's"),
            *("--file", "my $schema.sql", "--schema", "a b", "--schema", "c"),
        ]
    )
    assert f"{again} says where host and port come from" in result.stderr
    assert again in json.loads(result.stdout)["error"]["hint"]
    assert "s3cret" not in result.stdout + result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(novaops, shell: str) -> None:
    assert "_NOVAOPS_COMPLETE" in novaops("completion", shell).stdout


def test_completion_knows_the_options(novaops) -> None:
    result = novaops(_NOVAOPS_COMPLETE="bash_complete", COMP_WORDS="novaops plan --sch", COMP_CWORD="2")
    assert result.stdout.splitlines() == ["plain,--schema"]


def test_config_explain_names_every_origin(novaops) -> None:
    result = novaops("config", "explain", "--host", "db1", PGUSER="nova", PGPASSWORD="s3cret")
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert lines["host"] == ["db1", "--host"]
    assert lines["user"] == ["nova", "PGUSER"]
    assert lines["database"][0] == "nova_memory"
    assert "s3cret" not in result.stdout
    settings = json.loads(novaops("config", "explain", "--format", "json").stdout)["settings"]
    assert {"name", "value", "origin"} == set(settings[0])


def test_a_reader_that_leaves_is_no_error(environment: dict[str, str]) -> None:
    result = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m novaops explain H101 | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert result.stderr == ""
    assert result.stdout.strip() in ("141", "0")


def test_a_full_pipe_that_breaks(environment: dict[str, str]) -> None:
    code = (
        "import sys\nfrom novaops.cli.command import Command\nfrom novaops.output.terminal import write_data\n"
        "import click\n@click.command(cls=Command)\ndef c():\n    write_data('x\\n' * 100000)\n    return 0\nc()"
    )
    result = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "$CODE" | head -1; echo ${{PIPESTATUS[0]}}'],
        capture_output=True, text=True, env={**environment, "CODE": code},
    )  # fmt: skip
    assert result.stdout.split() == ["x", "141"]
    assert result.stderr == ""


def on_terminal(command: str, environment: dict[str, str]) -> str:
    """Output of the command in a pseudo-terminal."""
    result = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m {command}", "/dev/null"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert result.returncode == 0
    return result.stdout


def test_colour_on_a_terminal(environment: dict[str, str]) -> None:
    assert "\x1b[" in on_terminal("novaops explain", environment)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("command", ["novaops explain", "novaops explain H101"])
def test_no_colour_where_it_is_not_wanted(
    environment: dict[str, str], variables: dict[str, str], command: str
) -> None:
    assert "\x1b" not in on_terminal(command, {**environment, **variables})


def test_no_colour_without_a_terminal(novaops) -> None:
    assert "\x1b" not in novaops("explain").stdout
