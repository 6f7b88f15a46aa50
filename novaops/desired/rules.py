"""What becomes of a statement, by the words it begins with; the longest entry wins."""

from __future__ import annotations

from enum import Enum


class Action(Enum):
    """What building the desired state does with a statement."""

    RUN = "run"
    PROBE = "run, and report when nothing in the catalogs changed"
    SETTING = "run, and remember for the statements after it"
    BARRIER = "run when everything before it has run"
    SKIP = "leave out without a word"
    REPORT = "leave out and say so"
    REFUSE = "refuse before anything runs"


SERVER = "it acts on the whole server, not on this database's schema"
ROLES = "roles belong to the whole server, not to this database's schema"
SESSION = "it acts on the session only and has no place in a declared schema"
MAINTENANCE = "it is maintenance and has no place in a declared schema"
DATA = "without effect on the schema: novaops does not manage rows"
ROWS = f"{DATA}; rows that every database needs go into pre-migrations/NAME.data.sql"
DATABASE = "left out: properties of the database itself are not managed"

ROLE_HINT = "create roles before novaops runs, or see --missing-roles"
MOVE_HINT = "remove it from the schema; run it once by hand or as a pre-migration"

REFUSED: dict[str, tuple[str, str]] = {
    "ALTER SYSTEM": (SERVER, MOVE_HINT),
    "CREATE DATABASE": (SERVER, "create the database first; the schema is what goes into it"),
    "DROP DATABASE": (SERVER, MOVE_HINT),
    "ALTER DATABASE": (
        SERVER,
        "settings of the database (SET search_path …) are made by hand or as a pre-migration",
    ),
    "CREATE ROLE": (ROLES, ROLE_HINT),
    "CREATE USER": (ROLES, ROLE_HINT),
    "CREATE GROUP": (ROLES, ROLE_HINT),
    "ALTER ROLE": (ROLES, ROLE_HINT),
    "ALTER USER": (ROLES, ROLE_HINT),
    "ALTER GROUP": (ROLES, ROLE_HINT),
    "DROP ROLE": (ROLES, ROLE_HINT),
    "DROP USER": (ROLES, ROLE_HINT),
    "DROP GROUP": (ROLES, ROLE_HINT),
    "DROP OWNED": (ROLES, "drop the objects one by one"),
    "REASSIGN OWNED": (ROLES, "write ALTER … OWNER TO for each object"),
    "CREATE TABLESPACE": (SERVER, MOVE_HINT),
    "ALTER TABLESPACE": (SERVER, MOVE_HINT),
    "DROP TABLESPACE": (SERVER, MOVE_HINT),
    "DROP SUBSCRIPTION": ("it would reach out to another server", MOVE_HINT),
    "IMPORT FOREIGN SCHEMA": ("it would reach out to another server", "write CREATE FOREIGN TABLE"),
    "COPY": (
        "rows and files have no place in a declared schema",
        "dump the schema only: pg_dump --schema-only",
    ),
    "LOAD": ("it loads a library into the server", MOVE_HINT),
    "ROLLBACK": ("it would undo what the file declares", "remove it"),
    "ABORT": ("it would undo what the file declares", "remove it"),
    "PREPARE TRANSACTION": ("it would leave a transaction behind on the server", "remove it"),
    "COMMIT PREPARED": ("it acts on a transaction of someone else", "remove it"),
    "VACUUM": (MAINTENANCE, MOVE_HINT),
    "CHECKPOINT": (MAINTENANCE, MOVE_HINT),
    "REINDEX": (MAINTENANCE, MOVE_HINT),
    "CLUSTER": (MAINTENANCE, "to mark the index only, write ALTER TABLE … CLUSTER ON …"),
    "LISTEN": (SESSION, "remove it"),
    "UNLISTEN": (SESSION, "remove it"),
    "NOTIFY": (SESSION, "remove it"),
    "DISCARD": (SESSION, "remove it"),
    "LOCK": (SESSION, "remove it"),
    "PREPARE": (SESSION, "remove it"),
    "EXECUTE": (SESSION, "remove it"),
    "DEALLOCATE": (SESSION, "remove it"),
    "DECLARE": (SESSION, "remove it"),
    "FETCH": (SESSION, "remove it"),
    "MOVE": (SESSION, "remove it"),
    "CLOSE": (SESSION, "remove it"),
}

ACTIONS: dict[str, Action] = {
    # USER MAPPING is an object of the database; without its entry CREATE USER would refuse it.
    "CREATE USER MAPPING": Action.RUN,
    "ALTER USER MAPPING": Action.RUN,
    "DROP USER MAPPING": Action.RUN,
    "ALTER DEFAULT PRIVILEGES": Action.BARRIER,
    "BEGIN": Action.SKIP,
    "START TRANSACTION": Action.SKIP,
    "COMMIT": Action.SKIP,
    "END": Action.SKIP,
    "SAVEPOINT": Action.SKIP,
    "RELEASE": Action.SKIP,
    "SET TRANSACTION": Action.SKIP,
    "SET CONSTRAINTS": Action.SKIP,
    "SET SESSION CHARACTERISTICS": Action.SKIP,
    "SHOW": Action.SKIP,
    "SET": Action.SETTING,
    "RESET": Action.SETTING,
    "DO": Action.PROBE,
    "CALL": Action.PROBE,
    "SELECT": Action.PROBE,
    "WITH": Action.PROBE,
    "VALUES": Action.PROBE,
}

REPORTED: dict[str, str] = {
    "INSERT": ROWS,
    "UPDATE": DATA,
    "DELETE": DATA,
    "MERGE": DATA,
    "TRUNCATE": DATA,
    "ANALYZE": "without effect on the schema",
    "ANALYSE": "without effect on the schema",
    "EXPLAIN": "without effect on the schema",
    "TABLE": "without effect on the schema",
    "COMMENT ON DATABASE": DATABASE,
    "COMMENT ON ROLE": "left out: roles are not managed",
    "COMMENT ON TABLESPACE": "left out: tablespaces are not managed",
}
