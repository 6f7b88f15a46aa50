"""Room in the lock table."""

from novaops.db.locks import LockTable


def test_half_of_what_is_free_is_ours() -> None:
    assert LockTable(64, 100).room == 3200
    assert LockTable(64, 100, taken=6000).room == 200


def test_some_room_is_always_claimed() -> None:
    assert LockTable(64, 100, taken=6399).room == 64


def test_the_setting_leaves_others_what_they_have_now() -> None:
    assert LockTable(64, 100).setting_for(50_001) == 64 + 501
