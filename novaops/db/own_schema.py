"""The schema in the target that holds what novaops itself keeps there."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import errors

from novaops.db.identifiers import quote_ident
from novaops.errors import NovaopsError

OWN_SCHEMA = "novaops"
COMMENT = "What novaops keeps about this database; in no plan and in no dump."


def ensure_own_schema(connection: psycopg.Connection[Any]) -> None:
    """Make the schema if it is not there; raises `NovaopsError` with the GRANT that the role lacks.

    CREATE SCHEMA IF NOT EXISTS asks for CREATE on the database even where the schema exists
    (src/backend/commands/schemacmds.c), so the catalog is asked first.
    """
    if connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [OWN_SCHEMA]).rowcount:
        return
    try:
        with connection.transaction():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {OWN_SCHEMA}")
            connection.execute(f"COMMENT ON SCHEMA {OWN_SCHEMA} IS '{COMMENT}'")
    except errors.InsufficientPrivilege:
        role, database = quote_ident(connection.info.user), quote_ident(connection.info.dbname)
        raise NovaopsError(
            f"role {role} may not make the schema {OWN_SCHEMA} in {database}",
            detail="novaops records there what it has run.",
            hint=f"the owner of the database can allow it: GRANT CREATE ON DATABASE {database} TO {role}",
        ) from None
