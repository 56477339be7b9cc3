"""manifest.json: what a backfill is of, the inputs in their order, and by which rules. Another one never goes into the same folder.

The number of an input in it is that of its task and of its part, so inputs may be added at the end and nowhere else.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crawler.items import Source
from pipelines.backfill.files import output_errors, whole_file
from pipelines.backfill.filters import ALL, Filters
from pipelines.database.lock import LockTaken, run_lock
from pipelines.deduplicate.fingerprints import SIGNATURE
from pipelines.extract.rules import EXTRACTOR

NAME = "manifest.json"

FORMAT = 1
"""Of the manifest and of the parts' columns; it grows when an older release could not read them."""

MOST_BYTES = 2**28
"""Of a manifest: a million addresses of 200 bytes."""


class UnusableManifest(ValueError):
    """The folder holds something else, or another backfill; the message says what, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a folder of parts is of."""

    inputs: tuple[str, ...]  #: absolute paths or addresses (https, s3), in order
    filters: Filters = ALL
    rules: str = EXTRACTOR  #: of extraction
    fingerprints: str = json.dumps(SIGNATURE, sort_keys=True)  #: what near copies are found by
    sources: str | None = None  #: digest of the settings of sources.toml; None: there was none
    format: int = FORMAT
    version: str = version("broadsheet")  #: the release that began it

    def part(self, share: tuple[int, int] = (1, 1)) -> range:
        """Numbers of the inputs of a share (2, 8): every eighth, from the second on."""
        first, of = share
        return range(first - 1, len(self.inputs), of)

    def key(self, number: int) -> str:
        """What tells the part of an input from that of any other backfill."""
        told = {name: value for name, value in asdict(self).items() if name not in ("inputs", "version")}
        return hashlib.sha256(json.dumps([told, self.inputs[number]], sort_keys=True).encode()).hexdigest()


def digest_of(sources: Sequence[Source]) -> str | None:
    """What tells the settings of one sources.toml from those of another."""
    if not sources:
        return None
    return hashlib.sha256(json.dumps([asdict(source) for source in sources], sort_keys=True).encode()).hexdigest()


def part_path(out: Path, number: int) -> Path:
    """Where the result of an input is: there when it is whole."""
    return out / f"part-{number:05}.parquet"


def is_backfill(folder: Path) -> bool:
    """Whether a folder was begun by a backfill."""
    return os.path.isfile(folder / NAME)  # noqa: PTH113  # False also where nobody may look


def read_manifest(out: Path) -> Manifest:
    """The manifest of a folder. Raises UnusableManifest, or OSError."""
    file = out / NAME
    with file.open("rb") as stream:
        data = stream.read(MOST_BYTES)
    said: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(data)
    number = said.get("format") if isinstance(said, dict) else None
    if isinstance(number, int) and number != FORMAT:
        raise UnusableManifest(f"{file}: of format {number}; this release of Broadsheet reads {FORMAT}")
    with contextlib.suppress(TypeError, KeyError, AttributeError):
        return _manifest(said)
    raise UnusableManifest(f"{file}: is no manifest of a backfill")


def _manifest(said: dict[str, Any]) -> Manifest:
    lists: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in said["filters"].items()
    }
    names = {field.name for field in fields(Manifest)} - {"inputs", "filters"}
    inputs = tuple(str(one) for one in said["inputs"])
    return Manifest(inputs=inputs, filters=Filters(**lists), **{name: said[name] for name in names})


def settle(out: Path, wanted: Manifest) -> Manifest:
    """The manifest of a folder, made or added to as is wanted. Raises UnusableManifest where there is another, LockTaken,
    OutputError."""
    with output_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    with _settling(out):
        if not is_backfill(out):
            if others := sorted(entry.name for entry in out.iterdir() if not entry.name.startswith(f"{NAME}.")):
                raise UnusableManifest(f"{out}: is no backfill, and not empty: {others[0]} is in it")
        elif found := next(differences(there := read_manifest(out), wanted), None):
            raise UnusableManifest(f"{out}: holds another backfill: {found}; give another folder, or the same options")
        elif len(there.inputs) >= len(wanted.inputs):
            return there
        with whole_file(out / NAME) as stream:
            stream.write((json.dumps(asdict(wanted), indent=1) + "\n").encode())
    return wanted


@contextlib.contextmanager
def _settling(out: Path) -> Iterator[None]:
    """Hold the manifest. Another machine that starts at the same moment has it for some milliseconds. Raises LockTaken."""
    with contextlib.ExitStack() as held:
        for pause in (0.1, 0.3, 1.0, 3.0, None):
            try:
                held.enter_context(run_lock(out / NAME))
                break
            except LockTaken:
                if pause is None:
                    raise
                time.sleep(pause)
        yield


def differences(there: Manifest, wanted: Manifest) -> Iterator[str]:
    """In what two manifests differ so that their parts cannot stand beside each other, in words."""
    for name, one, other in (
        *((f"--{name}", getattr(there.filters, name), getattr(wanted.filters, name)) for name in _FILTERS),
        *((words, getattr(there, name), getattr(wanted, name)) for name, words in _RULES.items()),
    ):
        if one != other:
            yield f"{name} was {_said(one)}, and is {_said(other)} now"
    for number, (one, other) in enumerate(zip(there.inputs, wanted.inputs, strict=False), 1):
        if one != other:
            yield f"its input {number} is {one}, not {other} (new inputs come after those that it has)"
    if len(wanted.inputs) < len(there.inputs):
        yield f"it has {len(there.inputs):,} inputs, and {len(wanted.inputs):,} were named"


_FILTERS = tuple(field.name for field in fields(Filters))

_RULES = {"rules": "the extractor", "fingerprints": "the making of fingerprints", "sources": "sources.toml"}


def _said(value: object) -> str:
    if not value:
        return "nothing"
    said = ", ".join(value) if isinstance(value, tuple) else str(value)
    return said if len(said) <= 60 else f"{said[:57]}…"
