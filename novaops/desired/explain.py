"""Turns failed statements into diagnostics: every cause once, with what follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

from novaops.db.identifiers import quote_ident
from novaops.desired.attempt import Failure, Task
from novaops.desired.extensions import Providers
from novaops.desired.names import Declared, declared, name_at
from novaops.desired.split import Statement
from novaops.diagnostics import Diagnostic

# SQLSTATEs of a name that does not exist: table, function, object of another kind, schema.
MISSING_NAME = frozenset(["42P01", "42883", "42704", "3F000"])
SHOWN = 8
"""How many consequences of an error are listed."""

_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_ROLE = re.compile(r'role "(.*)" does not exist', re.DOTALL)
_EXTENSION = re.compile(r'extension "(.*)" is not available', re.DOTALL)
# Modules of PostgreSQL's own contrib come in one package, everything else in one each.
CONTRIB = frozenset(
    ["amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int", "dict_xsyn",
     "earthdistance", "file_fdw", "fuzzystrmatch", "hstore", "insert_username", "intagg", "intarray", "isn", "lo",
     "ltree", "moddatetime", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm",
     "pg_stat_statements", "pg_surgery", "pg_trgm", "pg_visibility", "pg_walinspect", "pgcrypto", "pgrowlocks",
     "pgstattuple", "postgres_fdw", "refint", "seg", "sslinfo", "tablefunc", "tcn", "tsm_system_rows",
     "tsm_system_time", "unaccent", "uuid-ossp", "xml2"]
)  # fmt: skip
# CREATE EXTENSION takes a superuser unless the control file says `trusted` (documentation, "Extension Files").
EXTENSION_REFUSED = (
    "the role may not create this extension in the shadow, which takes a superuser: use --shadow embedded,"
    " whose server has pgvector, or --shadow URL of a database in which a superuser has created it"
)
PACKAGES = {"vector": "pgvector", "postgis": "postgis-3", "pg_cron": "cron", "pg_partman": "partman"}


def missing_role(failure: Failure) -> str | None:
    """The role that a statement failed for want of; GRANT says 42704, SET ROLE 22023."""
    if failure.code not in ("42704", "22023"):
        return None
    found = _ROLE.fullmatch(failure.message)
    return found[1] if found else None


def explain(
    failures: Sequence[Failure],
    tasks: Iterable[Task],
    declares: str,
    version: int,
    providers: Providers,
    extensions: Set[str],
) -> list[Diagnostic]:
    """Diagnostics for what failed; what failed only because of another is a note to that one.

    `extensions` are those that the shadow had before the files ran.
    """
    index: dict[str, list[tuple[Task, Declared]]] = {}
    for task in tasks:
        if (what := declared(task.statement)) is not None:
            index.setdefault(what.names[-1], []).append((task, what))
    failed = {f.task.index: f for f in failures}
    causes = {f.task.index: _cause(f, index, failed) for f in failures}
    followers: dict[int, list[Failure]] = {}
    for failure in failures:
        root = _root(failure.task.index, causes)
        if root != failure.task.index:
            followers.setdefault(root, []).append(failure)
    roots = [f for f in failures if _root(f.task.index, causes) == f.task.index]
    return [
        _diagnostic(
            f,
            followers.get(f.task.index, []),
            index,
            declares,
            _hint(f, index, version, providers, extensions),
        )
        for f in roots
    ]


def _cause(
    failure: Failure, index: dict[str, list[tuple[Task, Declared]]], failed: dict[int, Failure]
) -> int | None:
    """The failed statement that would have made what this one misses."""
    names = _missing(failure)
    if not names:
        return None
    makers = [task.index for task, what in index.get(names[-1], ()) if _same(what.names, names)]
    if failure.code == "3F000":
        makers = [task.index for task, what in index.get(names[0], ()) if what.kind == "SCHEMA"]
    makers = [m for m in makers if m != failure.task.index]
    return makers[0] if makers and all(m in failed for m in makers) else None


def _root(index: int, causes: dict[int, int | None]) -> int:
    seen = {index}
    while (cause := causes.get(index)) is not None and cause not in seen:
        seen.add(cause)
        index = cause
    return index if causes.get(index) is None else min(seen)


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two names may mean the same object: equal as far as both are qualified."""
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]


def _missing(failure: Failure) -> tuple[str, ...]:
    """The name that does not exist, from the place of the error or from its message."""
    if failure.code not in MISSING_NAME or "FROM-clause" in failure.message:
        return ()  # the latter is a wrong alias
    quoted = _QUOTED.search(failure.message)
    if failure.offset is not None:
        names, _ = name_at(failure.task.statement.text, failure.offset)
        # What is quoted of a function that does not exist are the types of its arguments.
        function = failure.code == "42883"
        if names and (function or quoted is None or names[-1] == quoted[1].rpartition(".")[2]):
            return names
    return tuple(quoted[1].split(".")) if quoted else ()


def _diagnostic(
    failure: Failure,
    followers: Sequence[Failure],
    index: dict[str, list[tuple[Task, Declared]]],
    declares: str,
    hint: str | None,
) -> Diagnostic:
    statement = failure.task.statement
    secret = statement.secret
    offset = failure.offset or 0
    length = len(statement.text.partition("\n")[0])
    if failure.offset is not None:
        _, length = name_at(statement.text, offset)
    notes = [
        *_missing_notes(failure, index, declares),
        *_server_notes(failure),
        *_follower_notes(followers),
        *failure.notes,
    ]
    return statement.file.diagnostic(
        statement.start + offset,
        _without_secrets(failure.message, failure),
        length=length,
        code=failure.code,
        notes=tuple(notes),
        hint=hint,
        secret=secret,
    )


def _missing_notes(
    failure: Failure, index: dict[str, list[tuple[Task, Declared]]], declares: str
) -> list[str]:
    names = _missing(failure)
    if not names or missing_role(failure) is not None:
        return []
    name = names[0] if failure.code == "3F000" else names[-1]
    statement = failure.task.statement
    what = declared(statement)
    needs = f"; the {what} (line {statement.source.line}) needs it" if what is not None else ""
    makers = index.get(name, ())
    if not makers:
        return [f"no statement in {declares} creates it{needs}"]
    source = makers[0][0].statement.source
    return [f"{makers[0][1]} is declared at {source}"] if makers[0][0] is not failure.task else []


def _server_notes(failure: Failure) -> list[str]:
    notes = [_without_secrets(failure.detail, failure)] if failure.detail else []
    if failure.context:
        notes.append(_without_secrets(failure.context, failure))
    if failure.code == "42601" and failure.task.statement.variables and failure.offset is not None:
        at = failure.task.statement.start + failure.offset
        if any(offset == at for offset, _ in failure.task.statement.variables):
            notes.append("variables of psql (:name) are not put into statements")
    return notes


def _follower_notes(followers: Sequence[Failure]) -> list[str]:
    notes = []
    for follower in followers[:SHOWN]:
        statement = follower.task.statement
        what = declared(statement) or " ".join(statement.words[:2])
        notes.append(
            f"{statement.source}: {what} fails with it: {_without_secrets(follower.message, follower)}"
        )
    if len(followers) > SHOWN:
        notes.append(f"{len(followers) - SHOWN} more statements fail with it")
    return notes


def _hint(
    failure: Failure,
    index: dict[str, list[tuple[Task, Declared]]],
    version: int,
    providers: Providers,
    extensions: Set[str],
) -> str | None:
    extension = _EXTENSION.fullmatch(failure.message)
    if extension is not None:
        return install_hint(extension[1], version)
    if failure.code == "42501" and failure.task.statement.words[:2] == ("CREATE", "EXTENSION"):
        return EXTENSION_REFUSED
    names = _missing(failure)
    if names and names[-1] not in index and (found := providers(names[-1])) is not None:
        return found.hint(names[-1], here=found.extension in extensions)
    return _without_secrets(failure.hint, failure) if failure.hint else None


def install_hint(extension: str, version: int) -> str:
    """How to come by an extension that the server of the shadow does not have."""
    major = version // 10000
    if extension in CONTRIB:
        package = f"the package postgresql-contrib (Debian: part of postgresql-{major})"
        embedded = "; the embedded server has no contrib modules: use --shadow server, or --shadow URL"
    else:
        package = f"the package postgresql-{major}-{PACKAGES.get(extension, extension.replace('_', '-'))}"
        embedded = "; or use --shadow server, or --shadow URL of a server that has it"
    return f"install {package} on the server of the shadow{embedded}"


def role_diagnostic(role: str, first: Statement) -> Diagnostic:
    """One missing role, at the first statement that names it."""
    offset, length = 0, len(first.text.partition("\n")[0])
    for token, word in first.tokens():
        if token.kind in ("word", "quoted") and role in (word.lower(), word.strip('"').replace('""', '"')):
            offset, length = token.start, token.end - token.start
    return first.file.diagnostic(
        first.start + offset,
        f'role "{role}" does not exist',
        length=length,
        code="42704",
        hint=f"CREATE ROLE {quote_ident(role)}; or --missing-roles create (the plan makes it)"
        " or skip (statements that name it are left out)",
        secret=first.secret,
    )


def passing_role(role: str, statement: Statement) -> Diagnostic:
    """A role that a statement of the files made, and that no plan makes."""
    return statement.file.diagnostic(
        statement.start,
        f'role "{role}" is not made by a plan: roles belong to the whole server',
        length=len(statement.text.partition("\n")[0]),
        severity="notice",
        hint=f"CREATE ROLE {quote_ident(role)} before; or --missing-roles create (the plan makes it)",
        secret=statement.secret,
    )


def _without_secrets(text: str, failure: Failure) -> str:
    """The server's words without any string constant of a statement that may hold a password."""
    statement = failure.task.statement
    if not statement.secret:
        return text
    body = statement.text
    names = {word.strip('"').lower() for token, word in statement.tokens() if token.kind != "string"}
    for token, _ in statement.tokens():
        if token.kind == "string" and token.end - token.start > 2:
            text = text.replace(body[token.start + 1 : token.end - 1], "…")
    # A message may quote a part of a connection string.
    return _QUOTED.sub(lambda m: m[0] if m[1].lower() in names else '"…"', text)
