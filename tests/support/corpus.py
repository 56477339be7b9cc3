"""What local_corpus/expected says of every page of the small web. Counts in tests come from here: a page more changes no test."""

import tomllib
from typing import Any

from tests.conftest import CORPUS
from tests.support.expectations import FIELDS, Mistake, only_known, only_right_types

Expected = dict[str, Any]

STATES = ("article", "duplicate", "refused")
COLUMNS = {name: kind for name, kind in FIELDS.items() if name not in ("titles", "canonical_url")}
"""The fields that the archive keeps."""
OUTCOME = {"state": str, "reason": str, "of": str, "url": str, "optional": bool | None}
CONTENTS = {"with": tuple[str, ...], "without": tuple[str, ...]}
KEYS: dict[str, Any] = {
    "article": OUTCOME | COLUMNS | CONTENTS,
    "duplicate": {key: OUTCOME[key] for key in ("state", "reason", "of")},
    "refused": {key: OUTCOME[key] for key in ("state", "reason", "optional")},
}
"""What may be said of a page, by its state: exactly what tests/test_corpus.py compares."""


def read_expected(text: str, where: str) -> dict[str, Expected]:
    """Check one file of expected/. Raises Mistake."""
    pages: dict[str, Expected] = tomllib.loads(text)
    for url, expected in pages.items():
        _check(expected, f"{where}: {url}")
    return pages


def _check(expected: Expected, where: str) -> None:
    state = expected.get("state")
    if state not in STATES:
        raise Mistake(f"{where}: state: expected {', '.join(STATES)}, not {state!r}")
    only_known(expected, KEYS[state], where)
    only_right_types(expected, KEYS[state], where)


PAGES = {
    url: expected
    for file in sorted((CORPUS / "expected").glob("*.toml"))
    for url, expected in read_expected(file.read_text("utf-8"), f"expected/{file.name}").items()
}
ARTICLES = {url: expected for url, expected in PAGES.items() if expected["state"] == "article"}
