"""The lock lets one in at a time, and leaves no file behind."""

from fcntl import flock
from pathlib import Path

import pytest

from pipelines.database.lock import LockTaken, run_lock


def test_a_lock_leaves_no_file_behind_and_an_old_one_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "news.db.lock").touch()
    with run_lock(tmp_path / "news.db"):
        assert [path.name for path in tmp_path.iterdir()] == ["news.db.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_removed_by_hand_and_made_by_another_is_left_alone(tmp_path: Path) -> None:
    with run_lock(tmp_path / "news.db"):
        (tmp_path / "news.db.lock").unlink()
        (tmp_path / "news.db.lock").touch()
    assert (tmp_path / "news.db.lock").exists()


def test_who_comes_while_another_leaves_has_the_lock_that_the_next_one_meets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"somebody"}

    def leave_before(descriptor: int, how: int) -> None:
        if here:  # and leaves now, between open and flock
            here.clear()
            (tmp_path / "news.db.lock").unlink()
        flock(descriptor, how)

    monkeypatch.setattr("fcntl.flock", leave_before)
    with run_lock(tmp_path / "news.db"), pytest.raises(LockTaken), run_lock(tmp_path / "news.db"):
        pass
    assert (here, list(tmp_path.iterdir())) == (set(), [])
