"""A replication as `[[replication]]` in novaops.toml declares it: the way from flags to a file."""

from __future__ import annotations

from novaops.replication.declaration import Replication


def as_toml(replication: Replication) -> str:
    """What declares it, for one that flags have described: both databases are on the configured server.

    Holds no password: `--server` takes none, and how novaops itself connects is not part of it.
    """
    import tomlkit

    section = tomlkit.table()
    section["name"] = replication.name
    section["from"] = replication.source.database
    section["to"] = replication.target.database
    if replication.server_conninfo:
        server = tomlkit.inline_table()
        server.update(dict(replication.server_conninfo))
        section["server"] = server
    section["tables"] = [str(table) for table in replication.tables]
    sections = tomlkit.aot()
    sections.append(section)
    document = tomlkit.document()
    document["replication"] = sections
    return tomlkit.dumps(document)
