"""Errors for people on stderr, with the line of the file and a caret; for programs as JSON on stdout."""

from __future__ import annotations

import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.output.terminal import console, plain, visible, visible_lines, write_data, write_lines
from novaops.output.tree import counted

STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def show_error(error: Exception, as_json: bool = False, undone: str = "nothing was done") -> int:
    """Show the error, say that `undone`, and return the exit code."""
    if os.environ.get("NOVAOPS_DEBUG") == "1":
        traceback.print_exception(error)
    known = described(error)
    if known is not error:
        known.__notes__ = list(notes_of(error))
    write_lines(error_lines(known, console(stderr=True).width, undone), stderr=True)
    if as_json:
        from novaops.output.json import dumps

        write_data(dumps(error_value(known)))
    return known.exit_code


def render_error(error: Exception, width: int = 80, undone: str = "nothing was done") -> str:
    """The error as plain text."""
    return plain(error_lines(described(error), width, undone))


def described(error: Exception) -> NovaopsError:
    """Any exception as an error that people can act on."""
    psycopg = sys.modules.get("psycopg")
    if isinstance(error, NovaopsError):
        return error
    if psycopg is not None and isinstance(error, psycopg.Error):
        return _from_server(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return NovaopsError(f"{where}{error.strerror}")
    if isinstance(error, UnicodeDecodeError):
        return NovaopsError("a file is not UTF-8", detail=str(error))
    if isinstance(error, ImportError) and _raised_in(error, "psycopg.pq"):
        return NovaopsError(
            "the PostgreSQL client library, libpq, is not installed",
            detail="psycopg, the driver, has no binary package for this system and found no libpq",
            hint="run: pip install 'psycopg[binary]'; where that has no wheel, install libpq by the system's "
            "package manager (Debian, Ubuntu: libpq5; Fedora: libpq; Alpine: libpq; macOS, Homebrew: libpq)",
        )
    return NovaopsError(
        f"unexpected {type(error).__name__}: {error}",
        detail="this is a defect of novaops",
        hint="NOVAOPS_DEBUG=1 shows where it happened; please report it with that",
    )


def _raised_in(error: BaseException, module: str) -> bool:
    """Tell whether code of the module raised the exception."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__") == module for frame in frames)


def error_lines(error: NovaopsError, width: int, undone: str) -> Iterator[Text]:
    """The error as shown on stderr."""
    if isinstance(error, DiagnosticsError):
        for diagnostic in error.diagnostics:
            yield from diagnostic_lines(diagnostic, width)
        yield Text(f"{_count(error.diagnostics)}; {error.detail or undone} (exit {error.exit_code})")
        return
    first, *more = visible_lines(error.message)
    yield Text.assemble(("error", STYLES["error"]), f": {first}")
    yield from (Text(f"       {line}") for line in more)
    if error.detail:
        yield from _noted(error.detail, "     ")
    if error.hint:
        yield from _noted(f"hint: {error.hint}", "     ")
    yield from (Text(visible(note), STYLES["warning"]) for note in notes_of(error))


def diagnostic_lines(diagnostic: Diagnostic, width: int) -> Iterator[Text]:
    """One finding: place, message, the source line with a caret run, notes, hint."""
    source = diagnostic.source
    code = f"[{diagnostic.code}]" if diagnostic.code else ""
    severity = (f"{diagnostic.severity}{code}", STYLES.get(diagnostic.severity, "bold"))
    place = visible(f"{source.file}:{source.line}:{source.column}")
    first, *more = visible_lines(diagnostic.message)
    yield Text.assemble((place, "bold"), ": ", severity, f": {first}")
    yield from (Text(f"    {line}") for line in more)
    gutter = " " * max(len(str(source.line)) + 1, 5)
    if diagnostic.text is not None:
        line, caret = _excerpt(diagnostic, width - len(gutter) - 2)
        yield Text(f"{gutter}|", "dim")
        yield Text.assemble((f"{source.line:>{len(gutter) - 1}} | ", "dim"), line)
        yield Text.assemble((f"{gutter}| ", "dim"), (caret, severity[1]))
    for note in diagnostic.notes:
        yield from _noted(note, gutter)
    if diagnostic.hint:
        yield from _noted(f"hint: {diagnostic.hint}", gutter)


def interruption(error: BaseException, undone: str | None) -> str:
    """What is said of an interrupted command; `undone` if that is true of one that had not begun to change anything."""
    notes = list(map(visible, notes_of(error)))
    if undone is not None and not notes:
        return f"interrupted; {undone}"
    return "\n".join(["interrupted; the same command goes on from here", *notes])


def notes_of(error: BaseException) -> Sequence[str]:
    """What was added to an exception on its way (PEP 678): how far an apply came, and what is missing since."""
    return tuple(getattr(error, "__notes__", ()))


def error_value(error: NovaopsError) -> dict[str, object]:
    """The error as a value for JSON."""
    value: dict[str, object] = {
        "message": error.message,
        "detail": error.detail,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }
    if notes := notes_of(error):
        value["notes"] = list(notes)
    if isinstance(error, DiagnosticsError):
        value["diagnostics"] = [
            {
                "file": d.source.file,
                "line": d.source.line,
                "column": d.source.column,
                "severity": d.severity,
                "code": d.code,
                "message": d.message,
                "notes": list(d.notes),
                "hint": d.hint,
            }
            for d in error.diagnostics
        ]
    return {"format_version": 1, "error": value}


def _excerpt(diagnostic: Diagnostic, width: int) -> tuple[str, str]:
    """The source line and the carets under it, cut on both sides to fit the width."""
    text = (diagnostic.text or "").rstrip("\n")
    start = min(diagnostic.source.column - 1, len(text))
    before = visible(text[:start].expandtabs(4))
    marked = visible(text[start : start + max(diagnostic.length, 1)])
    after = visible(text[start + max(diagnostic.length, 1) :].expandtabs(4))
    room = max(width - min(cell_len(marked), width // 2) - 1, 0)
    if cell_len(before) > room:
        before = "…" + before[-(room // 2) :]
    line = before + marked + after
    if cell_len(line) > width:
        line = line[: max(width - 1, 1)] + "…"
    run = min(max(cell_len(marked), 1), max(width - cell_len(before), 1))
    return line, " " * cell_len(before) + "^" * run


def _noted(text: str, gutter: str) -> Iterator[Text]:
    first, *more = visible_lines(text)
    yield Text.assemble((f"{gutter}= ", "dim"), first)
    yield from (Text(f"{gutter}  {line}") for line in more)


def _count(diagnostics: Sequence[Diagnostic]) -> str:
    severities = Counter(d.severity for d in diagnostics)
    files = list(dict.fromkeys(visible(d.source.file) for d in diagnostics))
    where = files[0] if len(files) == 1 else counted(len(files), "file")
    return f"{', '.join(counted(n, severity) for severity, n in severities.items())} in {where}"


def _from_server(error: Exception) -> NovaopsError:
    """A psycopg error: the server's own words, or libpq's when no connection was made."""
    diag = getattr(error, "diag", None)
    primary = getattr(diag, "message_primary", None)
    if primary is None:
        return NovaopsError(
            str(error).strip() or type(error).__name__,
            hint=f"{command_line('config explain')} says where each connection setting comes from",
        )
    sqlstate = getattr(error, "sqlstate", None)
    details = [getattr(diag, "message_detail", None), getattr(diag, "context", None)]
    return NovaopsError(
        f"{primary} (SQLSTATE {sqlstate})",
        detail="\n".join(d for d in details if d) or None,
        hint=getattr(diag, "message_hint", None),
    )
