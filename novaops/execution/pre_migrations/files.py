"""Reads the folder of pre-migrations: what is in the files, and what no such file may hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from novaops.desired.files import read_script
from novaops.desired.split import File, Statement
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.errors import UsageError
from novaops.execution.pre_migrations.transaction import WORDS as TRANSACTION
from novaops.execution.pre_migrations.transaction import enclosed

PRE, POST = "pre", "post"
SUFFIX = ".sql"
POST_SUFFIX, DATA_SUFFIX, UNDO_SUFFIX = ".post.sql", ".data.sql", ".down.sql"
DIRECTIVE = re.compile(r"--[ \t]*novaops:[ \t]*(?P<word>[^\r\n]*)")
NO_TRANSACTION, NEW_DATABASES = "no-transaction", "run on new databases"
DIRECTIVES = (NO_TRANSACTION, NEW_DATABASES)
SECRETIVE = frozenset(["ROLE", "USER", "GROUP"])


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `phase` is "pre" or "post", `checksum` the SHA-256 of its text and of what it includes.

    Without `transactional` its statements run one by one, each committed by itself. `own_transaction` says
    that the file has a BEGIN and a COMMIT around its statements; these two are not among `statements`.
    `for_new` says that it runs on new databases too, where the schema files build what other files repair.
    """

    name: str
    path: Path
    phase: str
    checksum: str
    transactional: bool
    statements: tuple[Statement, ...] = field(repr=False)
    file: File = field(repr=False)
    own_transaction: bool = False
    for_new: bool = False


def sets(statement: Statement) -> bool:
    """Whether it makes a setting, which holds for the statements after it."""
    return statement.words[0] in ("SET", "RESET")


def read_folder(folder: Path) -> tuple[Migration, ...]:
    """All pre-migrations in the order in which they run; a folder that is not there has none.

    Raises `DiagnosticsError` with everything in the files that is refused.
    """
    if not folder.exists():
        return ()
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="name the folder of *.sql files")
    found: list[Migration] = []
    problems: list[Diagnostic] = []
    for path in _paths(folder):
        migration, refused = _read(path)
        found.append(migration)
        problems += refused
    if problems:
        raise DiagnosticsError(sorted(problems, key=lambda d: d.source))
    return tuple(found)


def left_out(folder: Path) -> list[str]:
    """Files that undo others (`*.down.sql`) and so are never run."""
    return sorted(path.name for path in folder.glob(f"*{UNDO_SUFFIX}"))


def secret(statement: Statement) -> bool:
    """Whether it may hold a password, so that its text is never shown or saved."""
    about_a_role = statement.words[0] in ("CREATE", "ALTER") and not SECRETIVE.isdisjoint(
        statement.words[1:2]
    )
    return statement.secret or about_a_role


def text_of(statement: Statement) -> str:
    """The statement as it may be shown."""
    return f"{' '.join(statement.words[:2])} … (may hold a password)" if secret(statement) else statement.text


def _paths(folder: Path) -> list[Path]:
    """In the order of the bytes of their names, whatever the locale."""
    paths = [p for p in folder.glob(f"*{SUFFIX}") if p.is_file() and not p.name.startswith(".")]
    return sorted((p for p in paths if not p.name.endswith(UNDO_SUFFIX)), key=lambda p: p.name.encode())


def _read(path: Path) -> tuple[Migration, list[Diagnostic]]:
    script, problems = read_script(path, [path])
    file, statements = script.files[0], script.statements
    directives = list(_directives(file, statements))
    problems += [d for _, d in directives if d is not None]
    words = [word for word, _ in directives]
    transactional = NO_TRANSACTION not in words
    inside = enclosed(statements) if transactional else None
    statements = statements if inside is None else inside
    problems += [d for statement in statements if (d := _refused(statement)) is not None]
    migration = Migration(
        name=path.name,
        path=path,
        phase=POST if path.name.endswith((POST_SUFFIX, DATA_SUFFIX)) else PRE,
        checksum=hashlib.sha256("".join(f.text for f in script.files).encode()).hexdigest(),
        transactional=transactional,
        statements=statements,
        file=file,
        own_transaction=inside is not None,
        for_new=path.name.endswith(DATA_SUFFIX) or NEW_DATABASES in words,
    )
    return migration, problems


def _directives(file: File, statements: Sequence[Statement]) -> Iterator[tuple[str, Diagnostic | None]]:
    """The `-- novaops: …` lines among the leading comments; one that nobody knows is an error."""
    own = [s.start for s in statements if s.file is file]
    for match in DIRECTIVE.finditer(file.text, 0, own[0] if own else len(file.text)):
        word = match["word"].strip()
        problem = None
        if word not in DIRECTIVES:
            problem = file.diagnostic(
                match.start("word"),
                f"there is no directive {word!r} for a pre-migration",
                length=len(word),
                hint=" or ".join(f"-- novaops: {each}" for each in DIRECTIVES),
            )
        yield word, problem


def _refused(statement: Statement) -> Diagnostic | None:
    words = statement.words
    if words[0] in TRANSACTION or words[:2] == ("PREPARE", "TRANSACTION"):
        reason = "novaops begins and ends the transaction of a file, with its entry in the ledger"
        hint = (
            "remove it, or make the file one transaction: BEGIN before all other statements, COMMIT after them;"
            f" for statements outside of transactions begin the file with -- novaops: {NO_TRANSACTION}"
        )
    elif words[0] == "COPY" and not {"STDIN", "STDOUT"}.isdisjoint(w for _, w in statement.tokens()):
        reason = "novaops sends no rows beside the statements"
        hint = "write INSERT, or load the rows with psql"
    elif words[0] == "DISCARD":
        reason = "it would release the lock that keeps other runs of novaops out"
        hint = "remove it: no setting or temporary table of a file is left to the next"
    else:
        return None
    length = len(statement.text.partition("\n")[0])
    return statement.file.diagnostic(
        statement.start, f"{' '.join(words[:2])} is refused: {reason}", length=length, hint=hint
    )
