"""Files are replaced whole, and never readable by more people for a moment."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from novaops.db.embedded import unprivileged_account
from novaops.errors import NovaopsError
from novaops.pgbouncer import files
from novaops.pgbouncer.files import Owner


def test_mode_and_owner_are_set_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "userlist.txt"
    path.write_text("old")
    path.chmod(0o640)
    seen: list[tuple[int, bytes]] = []
    rename = Path.rename

    def watched(self: Path, target: Path) -> Path:
        seen.append((stat.S_IMODE(self.stat().st_mode), path.read_bytes()))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", watched)
    owner = files.owner_of(path)
    assert owner is not None
    files.replace(path, b"new", owner)
    assert seen == [(0o640, b"old")]
    assert path.read_bytes() == b"new"


def test_what_a_killed_run_left_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "userlist.txt"
    files.unfinished(path).write_text("half")
    files.unfinished(path).chmod(0o666)
    files.replace(path, b"new", Owner(os.geteuid(), os.getegid(), 0o640))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["userlist.txt"]


def test_a_private_file_is_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("")
    path.chmod(0o644)
    assert (files.owner_of(path) or Owner(0, 0, 0)).mode == 0o640
    assert (files.owner_of(path, private=False) or Owner(0, 0, 0)).mode == 0o644
    assert files.owner_of(tmp_path / "none") is None


def test_a_file_that_would_change_its_owner_is_refused() -> None:
    """An ordinary user who may write to the folder, but not give the file to its owner."""
    account = unprivileged_account()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "x"
        path.write_text("old")
        path.chmod(0o644)
        folder.chmod(0o777)
        if account is not None:
            os.seteuid(account.pw_uid)
        try:
            with pytest.raises(NovaopsError, match="owner and group kept"):
                files.replace(path, b"new", Owner(0, 0, 0o640))
        finally:
            if account is not None:
                os.seteuid(0)
        assert path.read_text() == "old"
        assert list(folder.iterdir()) == [path]


def test_a_folder_that_may_not_be_written_to_is_found_first() -> None:
    account = unprivileged_account()
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        if account is not None:
            os.setresuid(account.pw_uid, account.pw_uid, 0)
        try:
            with pytest.raises(NovaopsError, match="nothing can be written"):
                files.need_writable([Path(name) / "x"])
        finally:
            if account is not None:
                os.setresuid(0, 0, 0)
        files.need_writable([Path(tempfile.gettempdir()) / "x"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for others")
def test_a_link_by_which_others_would_write_as_root(tmp_path: Path) -> None:
    link, mine = tmp_path / "link", tmp_path / "mine"
    mine.mkdir()
    link.symlink_to(mine / "passwd")
    assert files.real(link) == mine / "passwd"
    os.lchown(link, 65534, 65534)
    with pytest.raises(NovaopsError, match="a link of another user"):
        files.real(link)
    os.chown(mine, 65534, 65534)
    assert files.real(link) == mine / "passwd"
