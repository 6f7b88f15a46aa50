"""What flags have described is read from the file that is written for it as the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from novaops.replication.declaration import Endpoint
from novaops.replication.declared import chosen, declared, reached_by
from novaops.replication.written import as_toml

BASE = Endpoint("nova_memory", {"host": "db1", "user": "nova"}, password="hunter2")


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    (meant,) = chosen((), BASE, "quill_memory", None, ("agent_chat", 'Odd."Table ""x"""'))
    meant = reached_by(meant, "host=10.0.0.1 passfile='/var/lib/my \"own\" pass'")
    text = as_toml(meant)
    assert "hunter2" not in text
    (tmp_path / "novaops.toml").write_text(text)
    (found,) = declared(tmp_path / "novaops.toml", BASE)
    assert found == replace(meant, in_file=True)


def test_without_more_than_databases_and_tables() -> None:
    (meant,) = chosen((), BASE, "quill_memory", None, ("agent_chat",))
    assert as_toml(meant) == (
        '[[replication]]\nname = "agent_chat"\nfrom = "nova_memory"\nto = "quill_memory"\ntables = ["agent_chat"]\n'
    )
