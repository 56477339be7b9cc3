"""Every saved page gives what its page.toml expects; a test for each key, so that a failure names page and field."""

from pathlib import Path

import pytest

from tests.pages.saved import PAGES, difference, folders, keys, outcome, read_saved


@pytest.mark.parametrize(
    ("folder", "key"),
    [
        pytest.param(folder, key, id=f"{folder.relative_to(PAGES).as_posix()}-{key}")
        for folder in folders()
        for key in keys(folder)
    ],
)
def test_page(folder: Path, key: str) -> None:
    wanted, got = read_saved(folder).expected[key], outcome(folder)
    if key == "refused":
        assert got == wanted
        return
    assert not isinstance(got, str), f"refused: {got}"
    has, should = difference(got, key, wanted)
    assert has == should
