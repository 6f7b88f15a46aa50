"""A database with a table and some rows, a folder of pre-migrations, and a project of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from novaops.project import Options, Project

USERS = "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n"
ROWS = "INSERT INTO users VALUES (1, 'a'), (2, NULL);\n"
NOT_NULL = USERS.replace("email text", "email text NOT NULL")
REPAIR = "UPDATE users SET email = 'unknown' WHERE email IS NULL;\n"
RENAME_AND_REPAIR = "ALTER TABLE users RENAME COLUMN email TO address;\n" + REPAIR.replace("email", "address")


@dataclass
class Site:
    """What the tests work on: `live` is what others do to the database."""

    url: str
    folder: Path
    live: psycopg.Connection[Any]
    projects: list[Project]

    def file(self, name: str, sql: str) -> Path:
        """Write a pre-migration."""
        self.folder.mkdir(exist_ok=True)
        path = self.folder / name
        path.write_text(sql)
        return path

    def declare(self, sql: str, **options: Any) -> Project:
        """A project whose schema file holds `sql`."""
        path = self.folder.parent / f"schema_{len(self.projects)}.sql"
        path.write_text(sql)
        given = {"undeclared": "drop", **options}
        chosen = Options(ignore_file=None, pre_migrations=self.folder, **given)
        self.projects.append(Project(self.url, path, chosen))
        return self.projects[-1]

    def value(self, query: str) -> Any:
        """The first column of the first row."""
        row = self.live.execute(query).fetchone()
        return None if row is None else row[0]

    def ledger(self) -> list[tuple[Any, ...]]:
        """Name, phase and outcome of each row."""
        query = "SELECT name, phase, outcome FROM novaops.migrations ORDER BY name"
        return self.live.execute(query).fetchall()

    def has_ledger(self) -> bool:
        return self.value("SELECT to_regclass('novaops.migrations')") is not None


@pytest.fixture
def fresh(new_database: Callable[..., str], tmp_path: Path) -> Iterator[Site]:
    """A site whose database is empty."""
    url = new_database("migrations")
    with psycopg.connect(url, autocommit=True) as live:
        site = Site(url, tmp_path / "pre-migrations", live, [])
        yield site
        for project in site.projects:
            project.close()


@dataclass
class Owner:
    """A role that owns the site's database and table, and has no other rights."""

    name: str
    password: str

    def url(self, url: str) -> str:
        """The URL with this role in it."""
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{self.name}:{self.password}@{place}", query="").geturl()


@pytest.fixture
def owner(site: Site) -> Iterator[Owner]:
    """The projects of the site connect as this role."""
    owner = Owner(f"owner_{site.live.info.dbname.rpartition('_')[2]}", "secret")
    site.live.execute(f"CREATE ROLE {owner.name} LOGIN PASSWORD '{owner.password}'")
    site.live.execute(f"ALTER DATABASE {site.live.info.dbname} OWNER TO {owner.name}")
    site.live.execute(f"ALTER TABLE users OWNER TO {owner.name}")
    site.url = owner.url(site.url)
    yield owner
    for project in site.projects:
        project.close()
    site.live.execute(f"ALTER DATABASE {site.live.info.dbname} OWNER TO CURRENT_USER")
    site.live.execute(f"DROP OWNED BY {owner.name}; DROP ROLE {owner.name}")


@pytest.fixture
def site(fresh: Site) -> Site:
    """A site whose database holds users, one of them without an email."""
    fresh.live.execute(USERS + ROWS)
    return fresh
