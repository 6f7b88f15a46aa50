"""Functions of triggers that replicated rows fire: a worker runs them with an empty search_path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from novaops.replication.bodies import LANGUAGES, named_in, search_path, words_of
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Scene
from novaops.replication.declaration import TriggerMode
from novaops.replication.facts.trigger import Trigger

RELATIONS = """
SELECT c.relname::text, string_agg(DISTINCT n.nspname::text, ', ')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relname = ANY (%s)
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY c.relname
"""
FUNCTIONS = """
SELECT p.proname::text, string_agg(DISTINCT n.nspname::text, ', ')
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = ANY (%(names)s) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_proc q
      WHERE q.proname = p.proname AND q.pronamespace = 'pg_catalog'::regnamespace
  )
GROUP BY p.proname
"""


@check(
    "trigger-missing",
    "error",
    "the target has the triggers that modes are declared for",
    "apply the files that create it to the target, or take it out of [[replication.table]] triggers",
)
def trigger_missing(scene: Scene) -> Iterator[Problem]:
    there = {(t.root_schema, t.root, t.name) for t in scene.target.triggers}
    on_source = {(t.root_schema, t.root, t.name) for t in scene.source.triggers}
    for both in scene.tables():
        for name in both.declared.trigger_modes:
            key = (both.declared.schema, both.declared.name, name)
            # A table that the set-up makes gets the triggers of the source.
            if key not in (there if both.target else on_source):
                yield Problem(
                    f"{both.declared} on the target has no trigger {name}, for which a mode is declared"
                )


@check(
    "trigger-mode",
    "note",
    "triggers of the target, and of each of its partitions, are in the mode that is declared",
    "the set-up puts it right",
)
def trigger_mode(scene: Scene) -> Iterator[Problem]:
    for trigger, declared in _declared(scene):
        if declared is not None and trigger.mode != declared:
            yield Problem(
                f"{trigger.name} on {trigger.relation} is in the mode {trigger.mode}, declared is {declared}"
            )


@check(
    "trigger-search-path",
    "error",
    "functions of triggers that replicated rows fire find what they name",
    "ALTER FUNCTION … SET search_path = pg_catalog, public, or write the names with their schemas",
)
def trigger_search_path(scene: Scene) -> Iterator[Problem]:
    seen = set()
    for trigger, declared in _declared(scene):
        fires = (declared or trigger.mode) in ("always", "replica")
        readable = trigger.language in LANGUAGES and search_path(trigger.settings) is None
        if not fires or not readable or trigger.function in seen:
            continue
        seen.add(trigger.function)
        named = unqualified(scene, trigger.source)
        remedy = f"ALTER FUNCTION {trigger.function} SET search_path = pg_catalog, public"
        if named:
            words = ", ".join(f"{name} (of {schema})" for name, schema in named.items())
            yield Problem(
                f"{trigger.function}, which {trigger.name} runs for replicated rows, names {words} without a schema",
                "workers have an empty search_path: the first row would stop them",
                remedy,
            )
        elif "execute" in words_of(trigger.source):
            yield Problem(
                f"{trigger.function}, which {trigger.name} runs for replicated rows, has no search_path of its own, "
                "and builds statements as it runs",
                "workers have an empty search_path; whether its statements name schemas shows only when they run",
                remedy,
                "warning",
            )


@check(
    "trigger-before",
    "warning",
    "no trigger of the target can swallow replicated rows",
    "let the function return NEW for every row, or set the mode to origin",
)
def trigger_before(scene: Scene) -> Iterator[Problem]:
    """A BEFORE trigger that returns NULL leaves the row out, without any error."""
    for trigger, declared in _declared(scene):
        if (declared or trigger.mode) in ("always", "replica") and trigger.before and trigger.row:
            words = words_of(trigger.source)
            if any(pair == ("return", "null") for pair in pairwise(words)):
                yield Problem(
                    f"{trigger.name} on {trigger.relation} may leave out replicated rows: its function returns NULL",
                    f"{trigger.function} runs before the row is written",
                )


def unqualified(scene: Scene, body: str) -> Mapping[str, str]:
    """Relations and functions that a body names without a schema, with the schemas that have them.

    Names are words where SQL has them; the target's catalogs tell which of them mean something outside
    of pg_catalog.
    """
    relations, functions = ({n.name for n in names if n.schema is None} for names in named_in(body))
    connection = scene.target.connection
    found = dict(connection.execute(RELATIONS, [sorted(relations)]).fetchall()) if relations else {}
    if functions:
        found.update(connection.execute(FUNCTIONS, {"names": sorted(functions)}).fetchall())
    return found


def _declared(scene: Scene) -> Iterator[tuple[Trigger, TriggerMode | None]]:
    modes = {(t.schema, t.name): t.trigger_modes for t in scene.replication.tables}
    for trigger in scene.target.triggers:
        yield trigger, modes[trigger.root_schema, trigger.root].get(trigger.name)


CHECKS = (trigger_missing, trigger_mode, trigger_search_path, trigger_before)
