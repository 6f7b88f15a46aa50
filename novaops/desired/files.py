"""Reads the declared files: one file or a folder of them, with psql's includes followed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from novaops.desired.classify import refusals
from novaops.desired.lexer import LexicalError
from novaops.desired.roles import claims
from novaops.desired.split import Command, File, Statement, split
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.errors import NovaopsError, UsageError

# What pg_dump and people write that says nothing about the schema.
SKIPPED = frozenset(
    ["restrict", "unrestrict", "echo", "qecho", "warn", "encoding", "pset", "timing", "set", "unset", "prompt",
     "x", "a", "t", "f", "H", "errverbose", "conninfo", "p", "r"]
)  # fmt: skip
INCLUDES = {"i": False, "include": False, "ir": True, "include_relative": True}
REASONS = {
    "c": "it would leave the database that is being built",
    "connect": "it would leave the database that is being built",
    "!": "it would run a program",
    "copy": "a schema has no rows",
    "gexec": "its statements come from a query and cannot be checked before they run",
    "o": "it would write a file",
    "out": "it would write a file",
    "w": "it would write a file",
    "write": "it would write a file",
    "if": "conditions are psql's own and are not evaluated",
}


DUMP = "--\n-- PostgreSQL database dump\n--"
"""How pg_dump, and pg_restore, begin a script (src/bin/pg_dump/pg_backup_archiver.c, RestoreArchive)."""


@dataclass(frozen=True, slots=True)
class Script:
    """What the declared files hold, in the order in which psql would read them."""

    path: str
    files: tuple[File, ...]
    statements: tuple[Statement, ...]

    @property
    def dumped(self) -> bool:
        """Whether pg_dump wrote any of it, so that its expressions are PostgreSQL's own texts, read once more."""
        return any(file.text.lstrip().startswith(DUMP) for file in self.files)


def load(path: Path) -> Script:
    """The statements of a .sql file, or of all *.sql below a folder in sorted order.

    Everything that is wrong with the files as such is raised at once, before any server is asked. A
    file without a statement is legal: it declares that there is to be nothing.
    """
    script, problems = read_script(path, _files(path))
    # What is asked of roles may be so already, which the server knows.
    problems += refusals(statement for statement in script.statements if not claims(statement))
    if problems:
        raise DiagnosticsError(sorted(problems, key=lambda d: d.source))
    return script


def read_script(path: Path, files: Iterable[Path]) -> tuple[Script, list[Diagnostic]]:
    """The statements of the files with what they include, and what psql's rules have against them."""
    loader = _Loader()
    for file in files:
        loader.read(file)
    script = Script(str(path), tuple(loader.files), tuple(loader.statements))
    return script, [*loader.problems, *loader.interpolated()]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(f for f in path.rglob("*.sql") if f.is_file())
        if not found:
            raise UsageError(
                f"no .sql file in {path}", hint="name a folder with *.sql files, or a file, with --file"
            )
        return found
    if not path.exists():
        raise UsageError(f"{path} does not exist", hint="name the file or folder of your schema with --file")
    return [path]


def read_text(path: Path) -> str:
    """The text of a file, which must be UTF-8; a byte order mark is dropped."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NovaopsError(f"{path} cannot be read: {error.strerror}") from None
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    zero = data.find(b"\0")
    if zero >= 0:
        raise NovaopsError(
            f"{path} is not a text file: zero byte at offset {zero}", hint="UTF-16 must be saved as UTF-8"
        )
    try:
        return data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start + start
        raise NovaopsError(
            _not_utf8(path, data, at),
            hint=f"convert it, for example: iconv -f LATIN1 -t UTF-8 {path}",
        ) from None


def _not_utf8(path: Path, data: bytes, at: int) -> str:
    line = data.count(b"\n", 0, at) + 1
    return f"{path} is not UTF-8: byte 0x{data[at]:02x} at offset {at} (line {line})"


@dataclass(slots=True)
class _Loader:
    files: list[File] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    open: list[Path] = field(default_factory=list)

    def read(self, path: Path) -> None:
        file = File.of(str(path), read_text(path))
        self.files.append(file)
        self.open.append(path.resolve())
        try:
            for piece in split(file):
                if isinstance(piece, Statement):
                    self.statements.append(piece)
                else:
                    self.command(piece, path)
        except LexicalError as error:
            self.problems.append(file.diagnostic(error.offset, error.message, code="42601"))
        self.open.pop()

    def command(self, command: Command, path: Path) -> None:
        if command.inside:
            self.refuse(
                command, "it stands inside a statement", "end the statement before it with a semicolon"
            )
        elif command.name in INCLUDES:
            self.include(command, path)
        elif command.name == "set":
            self.variables.add(command.argument.partition(" ")[0])
        elif command.name not in SKIPPED:
            reason = REASONS.get(command.name, "only what pg_dump writes, \\i and \\ir are understood")
            self.refuse(command, reason, "remove the line")

    def include(self, command: Command, path: Path) -> None:
        name = command.argument.strip("'\"")
        beside = path.parent / name
        found = beside if INCLUDES[command.name] or not Path(name).exists() else Path(name)
        if not name or not found.is_file():
            self.refuse(
                command, f"{name or 'its file'} does not exist", f"looked for {_looked(found, beside)}"
            )
        elif found.resolve() in self.open:
            self.refuse(command, f"{found} is already being read: the files include each other", None)
        else:
            self.read(found)

    def refuse(self, command: Command, reason: str, hint: str | None) -> None:
        self.problems.append(
            command.file.diagnostic(
                command.start,
                f"\\{command.name} is refused: {reason}",
                length=command.end - command.start,
                hint=hint,
            )
        )

    def interpolated(self) -> Iterator[Diagnostic]:
        """Uses of variables that a \\set line gives a value: psql would put it there, novaops does not."""
        for statement in self.statements if self.variables else ():
            for offset, name in statement.variables:
                if name in self.variables:
                    yield statement.file.diagnostic(
                        offset,
                        f"psql's variable {name} is not put into statements",
                        length=len(name) + 1,
                        hint="write the value itself",
                    )


def _looked(*paths: Path) -> str:
    return " and ".join(dict.fromkeys(map(str, paths)))
