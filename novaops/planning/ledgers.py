"""Ledgers in which other migration tools record what they have run: a plan never drops one by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.ignore import section_name


class Ledger(NamedTuple):
    """A table of a tool, by its default name and the columns that it always has."""

    tool: str
    table: str
    columns: frozenset[str]


def _ledger(tool: str, table: str, columns: str) -> Ledger:
    return Ledger(tool, table, frozenset(columns.split()))


# The default names of the tools' documentation. schema_migrations is shared: the columns besides `version`
# (dirty, inserted_at) differ between the tools.
LEDGERS = (
    _ledger("Alembic", "alembic_version", "version_num"),
    _ledger("Atlas", "atlas_schema_revisions", "version description applied total hash"),
    _ledger("DbUp", "schemaversions", "scriptname applied"),
    _ledger("Diesel", "__diesel_schema_migrations", "version run_on"),
    _ledger("Django", "django_migrations", "id app name applied"),
    _ledger("Doctrine", "doctrine_migration_versions", "version executed_at execution_time"),
    _ledger("Drizzle", "__drizzle_migrations", "id hash created_at"),
    _ledger("Entity Framework", "__EFMigrationsHistory", "MigrationId ProductVersion"),
    _ledger("Flyway", "flyway_schema_history", "installed_rank version script checksum installed_on success"),
    _ledger("Flyway", "schema_version", "installed_rank version script checksum installed_on success"),
    _ledger("goose", "goose_db_version", "id version_id is_applied tstamp"),
    _ledger("Knex", "knex_migrations", "id name batch migration_time"),
    _ledger("Knex", "knex_migrations_lock", "is_locked"),
    _ledger("Kysely", "kysely_migration", "name timestamp"),
    _ledger("Kysely", "kysely_migration_lock", "id is_locked"),
    _ledger("Laravel", "migrations", "id migration batch"),
    _ledger("Liquibase", "databasechangelog", "id author filename dateexecuted orderexecuted md5sum"),
    _ledger("Liquibase", "databasechangeloglock", "id locked lockgranted lockedby"),
    _ledger("MikroORM", "mikro_orm_migrations", "id name executed_at"),
    _ledger("node-pg-migrate", "pgmigrations", "id name run_on"),
    _ledger("Phinx", "phinxlog", "version migration_name start_time end_time"),
    _ledger("Prisma", "_prisma_migrations", "id checksum migration_name started_at applied_steps_count"),
    _ledger("Rails", "ar_internal_metadata", "key value created_at updated_at"),
    _ledger("Rails, golang-migrate, dbmate or Ecto", "schema_migrations", "version"),
    _ledger("Refinery", "refinery_schema_history", "version name applied_on checksum"),
    _ledger("SeaORM", "seaql_migrations", "version applied_at"),
    _ledger("Sequelize", "SequelizeMeta", "name"),
    _ledger("sqlx", "_sqlx_migrations", "version description installed_on success checksum execution_time"),
    _ledger("tern", "schema_version", "version"),
    _ledger("TypeORM", "migrations", "id timestamp name"),
    _ledger("TypeORM", "typeorm_metadata", "type database schema table name value"),
    _ledger("yoyo", "_yoyo_migration", "migration_hash migration_id applied_at_utc"),
    _ledger("yoyo", "_yoyo_log", "id migration_hash migration_id operation"),
    _ledger("yoyo", "_yoyo_version", "version installed_at_utc"),
    _ledger("yoyo", "yoyo_lock", "locked ctime pid"),
)


def ledger(obj: Object, snapshot: Snapshot) -> Ledger | None:
    """Return the ledger that the object is: by name and columns, since a name alone is anybody's."""
    if obj.kind != "table":
        return None
    columns = {part.name for part in snapshot.children.get(obj.address, ()) if part.kind == "column"}
    named = (each for each in LEDGERS if each.table == obj.name)
    return next((each for each in named if each.columns <= columns), None)


def ignoring(addresses: Iterable[Address], live: Snapshot) -> Iterator[str]:
    """Write the lines of `.pgschemaignore` for the objects, and for what belongs to them and stands by itself."""
    patterns: dict[str, list[str]] = {}
    for address in sorted(addresses):
        obj = live[address]
        if obj.parent is None:
            name = obj.name if obj.schema in (None, "public") else f"{obj.schema}.{obj.name}"
            patterns.setdefault(section_name(obj.kind), []).append(name)
    for section, names in sorted(patterns.items()):
        yield f"[{section}]"
        yield f"patterns = {json.dumps(names, ensure_ascii=False)}"


def notice(kept: Mapping[Address, Ledger], belonging: Set[Address], live: Snapshot) -> str:
    """Say which ledgers a plan keeps, and how to have them ignored."""
    tables = ", ".join(f"{live[a].identity} ({each.tool})" for a, each in sorted(kept.items()))
    head = (
        f"kept, as other migration tools record there what they have run: {tables}; add to .pgschemaignore:"
    )
    return "\n".join([head, *ignoring(belonging, live)])
