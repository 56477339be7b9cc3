"""Empty archives in no time: a law of hypothesis draws a hundred, and to make one takes longer than what it keeps."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from pipelines.archive.store import Archive

SCRATCH = tempfile.TemporaryDirectory()


@cache
def _empty() -> Path:
    path = Path(SCRATCH.name) / "empty.db"
    Archive(path).close()
    return path


def new_archive() -> Archive:
    """An archive of its own, gone when the tests end."""
    return Archive(Path(shutil.copy(_empty(), Path(tempfile.mkdtemp(dir=SCRATCH.name)) / "news.db")))
