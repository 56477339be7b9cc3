"""`broadsheet import OUT`: the loading of what a backfill made. The command line; what it does is done in pipelines.backfill.load."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.backfill import need
from crawler.cli.common import open_archive
from crawler.cli.output import DONE, FAILED, USAGE, counted, is_absent, print_error
from crawler.cli.run import Job, Verdict, run

if TYPE_CHECKING:
    from crawler.items import Source
    from pipelines.archive.store import Archive
    from pipelines.backfill.load import Loaded, Parts
    from pipelines.backfill.manifest import Manifest


def load(out: Path, db: Path, sources: "Sequence[Source]", *, quiet: bool) -> int:
    """`broadsheet import OUT`: load what is done of a backfill; returns the exit status."""
    need("pyarrow", extra="parquet", what=f"{out}: a backfill, which")
    from pipelines.backfill.load import parts_of
    from pipelines.backfill.manifest import UnusableManifest, read_manifest
    from pipelines.backfill.parts import leave_pandas_out

    leave_pandas_out()
    try:
        manifest = read_manifest(out)
        parts = parts_of(out, manifest, _loaded_keys(db))
    except UnusableManifest as error:
        return print_error(str(error), USAGE)
    except OSError as error:
        return print_error(f"{error.filename or out}: {error.strerror or error}", USAGE)
    if not parts.due:
        if not parts.loaded:
            return print_error(f"{out}: no file is done yet; `broadsheet backfill` does them", USAGE)
        if not quiet:
            click.echo(f"{db} has all {counted(parts.loaded, 'file')} of {out} that are done already{_missing(parts)}.")
        return DONE

    def fill(archive: "Archive") -> Verdict:
        return _load(archive, out, manifest, sources, parts, quiet=quiet)

    return run(Job(spider="copies", db=db, settings={}, arguments={}, load=fill, quiet=quiet))


def _loaded_keys(db: Path) -> set[str]:
    from pipelines.archive.loads import known

    if is_absent(db):
        return set()
    with open_archive(db, older=True) as archive:
        return known(archive)


def _load(
    archive: "Archive", out: Path, manifest: "Manifest", sources: "Sequence[Source]", parts: "Parts", *, quiet: bool
) -> Verdict:
    from crawler.cli.progress import counting
    from pipelines.backfill.load import Loader, leave_stories

    signals: list[int] = []
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda number, frame: signals.append(number))
    with counting(f"loading {out.name}", quiet=quiet) as follow:
        loaded = Loader(archive, out, manifest, sources).load(parts.due, follow, lambda: bool(signals))
    leave_stories(archive, loaded)
    return _verdict(loaded, parts)


def _verdict(loaded: "Loaded", parts: "Parts") -> Verdict:
    unread = [f"{name} cannot be read: {reason}" for name, reason in loaded.unread.items()]
    if unread and not loaded.files and not loaded.is_stopped:
        return Verdict(code=FAILED, status="failed", reason=f"not one file could be loaded: {unread[0]}")
    stopped = ["stopped by a signal; the same line again loads the rest"] if loaded.is_stopped else []
    stories = (
        f"stories are left to the next run: {loaded.window:,} articles lie within two weeks" if loaded.window else ""
    )
    said = [
        *stopped,
        *unread[:3],
        *([stories] if stories else []),
        *([m] if (m := _missing(parts).lstrip("; ")) else []),
    ]
    return Verdict(code=DONE, status="partial" if stopped or unread else "ok", reason="; ".join(said) or None)


def _missing(parts: "Parts") -> str:
    if not parts.missing:
        return ""
    return f"; {counted(parts.missing, 'file')} of the backfill are not done yet: load again when they are"
