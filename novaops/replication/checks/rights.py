"""What the roles may do: that which sets up, and that which the subscription logs in with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from psycopg.rows import class_row

from novaops.db.identifiers import quote_ident
from novaops.replication.checks.check import Problem, check
from novaops.replication.checks.scene import Scene


@dataclass(frozen=True, slots=True)
class _Rights:
    """A row of rights.sql."""

    oid: int
    readable: bool
    hidden_rows: bool
    schema_usage: bool


ROLE = "SELECT rolsuper OR rolreplication, rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = %s"


@check(
    "replication-role",
    "error",
    "the role that the subscription logs in with may replicate",
    "ALTER ROLE … LOGIN REPLICATION, or name another in [[replication]] server or role",
)
def replication_role(scene: Scene) -> Iterator[Problem]:
    if scene.role is None:
        return
    row = scene.source.connection.execute(ROLE, [scene.role]).fetchone()
    role = quote_ident(scene.role)
    if row is None:
        if scene.role != scene.replication.role:
            yield Problem(
                f"{scene.source.side} has no role {role}",
                "the subscription would log in with it",
                f"CREATE ROLE {role} LOGIN REPLICATION, or write role = {role!r}: the set-up makes it",
            )
        return
    replication, login = row
    lacking = [word for word, has in (("LOGIN", login), ("REPLICATION", replication)) if not has]
    if lacking:
        yield Problem(
            f"role {role} on {scene.source.side} has no {' and no '.join(lacking)}",
            "a WAL sender lets only such roles in",
            f"ALTER ROLE {role} {' '.join(lacking)}",
        )


@check(
    "select-right",
    "error",
    "the first copy may read the tables",
    "GRANT SELECT ON … TO …",
)
def select_right(scene: Scene) -> Iterator[Problem]:
    if scene.role is None or scene.role == scene.replication.role:  # unknown, or the set-up grants it
        return
    role = quote_ident(scene.role)
    for table, found in _rights(scene):
        if not found.readable:
            yield Problem(
                f"role {role} may not read {table} on the source", None, f"GRANT SELECT ON {table} TO {role}"
            )
        if not found.schema_usage:
            yield Problem(
                f"role {role} may not use the schema of {table} on the source",
                None,
                f"GRANT USAGE ON SCHEMA {table.partition('.')[0]} TO {role}",
            )


@check(
    "row-security",
    "error",
    "no policy hides rows from the first copy",
    "ALTER ROLE … BYPASSRLS, or let a role that is exempt log in",
)
def row_security(scene: Scene) -> Iterator[Problem]:
    role = quote_ident(scene.role or "")
    for table, found in _rights(scene):
        if found.hidden_rows:
            yield Problem(
                f"row-level security of {table} on the source hides rows from role {role}",
                "the first copy would lack them, without any error; later changes come all the same",
                f"ALTER ROLE {role} BYPASSRLS",
            )
    for both in scene.tables():
        if both.target and both.target.row_security:
            yield Problem(
                f"row-level security of {both.declared} on the target binds role {scene.target.side.identity.user}",
                "the worker of a subscription that this role owns stops at such a table (documentation, “Logical "
                "Replication”, “Security”)",
                f"ALTER ROLE {quote_ident(scene.target.side.identity.user)} BYPASSRLS",
            )


@check(
    "publication-right",
    "error",
    "this role may publish the tables",
    "connect to the source as the owner of the tables, or as a superuser",
)
def publication_right(scene: Scene) -> Iterator[Problem]:
    server, publication = scene.source.server, scene.publication
    user = scene.source.side.identity.user
    if publication is None and not server.may_create:
        yield Problem(
            f"role {user} may not create a publication in {scene.source.side}",
            None,
            f"GRANT CREATE ON DATABASE {quote_ident(scene.source.database)} TO {quote_ident(user)}",
        )
    for both in scene.tables():
        if both.source and not both.source.owned and not _published(scene, both.source.oid):
            yield Problem(f"role {user} does not own {both.declared} on the source, and may not publish it")


@check(
    "subscription-right",
    "error",
    "this role may create a subscription",
    "connect to the target as a superuser, or since PostgreSQL 16 as a member of pg_create_subscription",
)
def subscription_right(scene: Scene) -> Iterator[Problem]:
    server, user = scene.target.server, scene.target.side.identity.user
    if scene.subscription is None and not server.may_create_subscription:
        yield Problem(
            f"role {user} may not create a subscription in {scene.target.side}",
            "up to PostgreSQL 15 only superusers may"
            if scene.target.major < 16
            else "that takes pg_create_subscription, and CREATE on the database",
        )
    elif scene.subscription is None and not server.superuser:
        yield Problem(
            f"role {user} is no superuser: its subscription has to log in with a password",
            "password_required is the default for those; only a superuser can set it to false",
            "let a superuser set up, or give a password that the server can read",
            "warning",
        )
    for both in scene.tables():
        modes = both.declared.trigger_modes
        if both.target and modes and not both.target.owned:
            yield Problem(
                f"role {user} does not own {both.declared} on the target, and may not set the modes of its triggers",
                None,
                "connect to the target as the owner of the table, or as a superuser",
            )


def _rights(scene: Scene) -> Iterator[tuple[str, _Rights]]:
    names = {both.source.oid: both.declared.qualified for both in scene.tables() if both.source}
    text = files(__package__).joinpath("rights.sql").read_text()
    with scene.source.connection.cursor(row_factory=class_row(_Rights)) as cursor:
        for found in cursor.execute(text, {"tables": list(names), "role": scene.role}).fetchall():
            yield names[found.oid], found


def _published(scene: Scene, oid: int) -> bool:
    return scene.replication.publication in scene.source.published.get(oid, ())


CHECKS = (replication_role, select_right, row_security, publication_right, subscription_right)
