"""The plan as JSON, `format_version` 1, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from novaops.diagnostics import Source
from novaops.errors import NovaopsError
from novaops.invocation import command_line
from novaops.output.terminal import UNSAFE
from novaops.planning.hazard_codes import consent, with_consent
from novaops.planning.plan import (
    FORMAT_VERSION,
    Guard,
    Hazard,
    LastRun,
    Missing,
    Owned,
    Plan,
    PlannedChange,
    PreMigration,
    ScriptStatement,
    Statement,
    Target,
)


def _write_one() -> str:
    return f"write one with: {command_line('plan', '--out', 'FILE')}"


def dumps(value: Mapping[str, Any]) -> str:
    """JSON that people can read, and that a terminal may be shown."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    # Only newlines stand between tokens; any other control character is inside a string.
    return "\n".join(UNSAFE.sub(lambda m: f"\\u{ord(m[0]):04x}", line) for line in text.split("\n")) + "\n"


def plan_to_json(plan: Plan) -> str:
    """The artifact that `plan --out` writes and `apply PLANFILE` reads."""
    return dumps(plan_value(plan))


def plan_value(plan: Plan) -> dict[str, Any]:
    """The plan as a value for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "target": asdict(plan.target),
        "source_fingerprint": plan.source_fingerprint,
        "desired_fingerprint": plan.desired_fingerprint,
        "summary": plan.summary,
        "changes": [_saved_change(c) for c in plan.changes],
        "statements": [_saved(s) for s in plan.statements],
        "blocked": [_hazard(h) for h in plan.blocked],
        "skipped": plan.skipped,
        "unmanaged": plan.unmanaged,
        "undeclared": plan.undeclared,
        "notices": plan.notices,
        "consents": [{"consent": c, "reason": r} for c, r in plan.consents.items()],
        "left_out": [_saved_change(c) for c in plan.left_out],
        "files": plan.files,
        "file_statements": plan.file_statements,
        "shadow_seconds": plan.shadow_seconds,
        "objects": plan.objects,
        "options": dict(plan.options),
        "owned": [asdict(owned) for owned in plan.owned],
        "rehearsal": None if plan.rehearsal is None else dict(plan.rehearsal),
        "pre_migrations": [
            {**asdict(m), "hazards": [_hazard(h) for h in m.hazards]} for m in plan.pre_migrations
        ],
        "predicted_fingerprint": plan.predicted_fingerprint,
        "continues": plan.continues,
        "missing": [asdict(m) for m in plan.missing],
        "way_back": plan.way_back,
        "time_zone": plan.time_zone,
        "last_applied": None if plan.last_applied is None else asdict(plan.last_applied),
    }


def plan_from_json(text: str, name: str = "the plan file") -> Plan:
    """The plan in a file that `plan --out` wrote; `name` is the file's, for errors."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise NovaopsError(f"{name} is not JSON", detail=str(error), hint=_write_one()) from error
    version = value.get("format_version") if isinstance(value, dict) else None
    if version is None:
        raise NovaopsError(f"{name} is not a plan: it has no format_version", hint=_write_one())
    if version != FORMAT_VERSION:
        raise NovaopsError(
            f"{name} has format_version {version}; this novaops reads {FORMAT_VERSION}",
            hint="make the plan again with the novaops that applies it",
        )
    try:
        return with_consent(made := _plan(value), made.consents)
    except (KeyError, TypeError, AttributeError) as error:
        raise NovaopsError(
            f"{name} is not a whole plan", detail=f"{type(error).__name__}: {error}", hint=_write_one()
        ) from error


def _plan(value: Mapping[str, Any]) -> Plan:
    return Plan(
        target=_target(value["target"]),
        source_fingerprint=value["source_fingerprint"],
        desired_fingerprint=value["desired_fingerprint"],
        changes=tuple(_change(c) for c in value["changes"]),
        statements=tuple(_statement(s) for s in value["statements"]),
        blocked=tuple(_loaded_hazard(h) for h in value["blocked"]),
        skipped=tuple(value["skipped"]),
        unmanaged=tuple(value["unmanaged"]),
        undeclared=tuple(value.get("undeclared", ())),
        notices=tuple(value["notices"]),
        consents={consent(c["consent"]): str(c["reason"]) for c in value["consents"]},
        left_out=tuple(_change(c) for c in value["left_out"]),
        files=value["files"],
        file_statements=value["file_statements"],
        shadow_seconds=value["shadow_seconds"],
        objects=value["objects"],
        options=value["options"],
        rehearsal=value["rehearsal"],
        pre_migrations=tuple(_pre_migration(m) for m in value.get("pre_migrations", ())),
        predicted_fingerprint=value.get("predicted_fingerprint"),
        continues=value["continues"],
        missing=tuple(Missing.of(m) for m in value.get("missing", ())),
        way_back=value.get("way_back", False),
        time_zone=value.get("time_zone"),
        last_applied=LastRun(**value["last_applied"]) if value["last_applied"] else None,
        owned=tuple(Owned(o["object"], tuple(o["roles"])) for o in value["owned"]),
    )


def _target(value: Mapping[str, Any]) -> Target:
    target = Target(**{field.name: value[field.name] for field in fields(Target)})
    if not target.database:
        raise TypeError("target names no database")
    return target


def _change(value: Mapping[str, Any]) -> PlannedChange:
    given = {field.name: value[field.name] for field in fields(PlannedChange)}
    given["detail"] = tuple(given["detail"])
    given["hazards"] = tuple(_loaded_hazard(h) for h in given["hazards"])
    given["source"] = Source(**given["source"]) if given["source"] else None
    return PlannedChange(**given)


def _pre_migration(value: Mapping[str, Any]) -> PreMigration:
    given = {field.name: value[field.name] for field in fields(PreMigration)}
    given["statements"] = tuple(ScriptStatement(**s) for s in given["statements"])
    given["hazards"] = tuple(_loaded_hazard(h) for h in given["hazards"])
    return PreMigration(**given)


def _statement(value: Mapping[str, Any]) -> Statement:
    optional = {"drops": (), "restores": ()}  # a plan of an older novaops has none
    given = {
        field.name: {**optional, **value}[field.name]
        for field in fields(Statement)
        if field.name != "secret_sql"
    }
    given["drops"] = tuple(Missing.of(m) for m in given["drops"])
    given["restores"] = tuple(given["restores"])
    for name in ("locks", "rewrites", "scans"):
        given[name] = tuple(given[name])
    given["hazards"] = tuple(_loaded_hazard(h) for h in given["hazards"])
    given["guards"] = tuple(Guard(**guard) for guard in given["guards"])
    return Statement(**given)


def _saved_change(change: PlannedChange) -> dict[str, Any]:
    return {**asdict(change), "hazards": [_hazard(h) for h in change.hazards]}


def _saved(statement: Statement) -> dict[str, Any]:
    value = {**asdict(statement), "hazards": [_hazard(h) for h in statement.hazards]}
    del value["secret_sql"]
    return value


def _hazard(hazard: Hazard) -> dict[str, Any]:
    value = {**asdict(hazard), "consent": hazard.consent}
    if not hazard.by_name:
        del value["by_name"]
    return value


def _loaded_hazard(value: Mapping[str, Any]) -> Hazard:
    """A plan of before there were pending ones has none."""
    given = {field.name: value[field.name] for field in fields(Hazard) if field.name in value}
    return Hazard(**{**given, "also": tuple(given.get("also", ()))})


def _plain(value: object) -> object:
    """Values that JSON has no word for, in options and rehearsals."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
