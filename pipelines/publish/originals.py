"""HTML source of a capture: a record in a WARC file -> the characters that were sent. Read, never rendered.

Where the record lies is what the archive's table says, and warc_files.path_of() finds it.
"""

from pathlib import Path

from datasette.utils.asgi import NotFound

from crawler.encodings import decoded_html
from crawler.items import MAX_PAGE_BYTES, Page
from pipelines.publish.formatting import number
from pipelines.publish.queries import Row
from pipelines.publish.translation import gettext


def source_of(capture: Row, archive: Path) -> bytes:
    """The page of a row of queries.capture() in UTF-8, unpacked, at most MAX_PAGE_BYTES of it as they were sent. NotFound, in
    words, where it cannot be had.

    Takes 2 ms, for the largest up to three seconds: not to be called in the event loop.
    """
    if capture["status"] and 300 <= capture["status"] < 400:
        raise NotFound(
            gettext(
                "This answer was a redirect (HTTP %(status)s): it has no page of its own.", status=capture["status"]
            )
        )
    page = _page_of(capture, archive)
    if len(page.body) > MAX_PAGE_BYTES:
        said = gettext(
            "This original has more than %(size)s MB unpacked: too much to be shown.", size=MAX_PAGE_BYTES >> 20
        )
        raise NotFound(f"{said} {_place(capture, archive)}")
    if not page.body:
        said = gettext("This record has no page that could be shown.")
        raise NotFound(f"{said} {_place(capture, archive)}")
    text = decoded_html(page.body, page.content_type)
    return (page.body.decode("utf-8", "replace") if text is None else text).encode("utf-8", "replace")


def _page_of(capture: Row, archive: Path) -> Page:
    from crawler.parsers.warc import read_record  # with all that reads archives, which no other page needs
    from pipelines.archive.warc_files import is_saved

    if is_saved(capture["file"]):
        return _saved_page_of(capture, archive)
    file = _found(capture["file"], archive)
    body_at = (_found(capture["body_file"], archive), capture["body_offset"]) if capture["body_file"] else None
    try:
        page = read_record(file, capture["offset"], body_at=body_at)
    except OSError as error:
        raise NotFound(_unreadable(error.filename or file, error)) from None
    if page is None:
        said = gettext(
            "No page begins there any more: it was taken down, or the file is damaged, of which `broadsheet doctor` tells."
        )
        raise NotFound(f"{said} {_place(capture, archive)}")
    return page


def _saved_page_of(capture: Row, archive: Path) -> Page:
    """A page that somebody saved, as long as it is the one that was imported: an archive leads to no other file."""
    from crawler.parsers.saved_files import read_again
    from pipelines.archive.warc_files import holder_of

    file = _path(capture["file"], archive)
    holder = holder_of(file)
    if holder is None:
        raise NotFound(gettext("This page was read from a saved file that is not there any more: %(file)s.", file=file))
    if holder != file:
        raise NotFound(
            gettext(
                "This page was read from %(file)s in %(holder)s: unpack it to see its HTML.",
                file=file.relative_to(holder),
                holder=holder,
            )
        )
    try:
        page = read_again(file, capture["digest"])
    except OSError as error:
        raise NotFound(_unreadable(file, error)) from None
    if page is None:
        raise NotFound(
            gettext("This page was read from a saved file that holds something else by now: %(file)s.", file=file)
        )
    return page


def _found(name: str, archive: Path) -> Path:
    """A file that is there. NotFound where none is, or what is no file."""
    file = _path(name, archive)
    if not file.is_file():
        raise NotFound(
            gettext(
                "The original is in a file that is not there: %(file)s. Where the archive goes, its folder warc/ goes, too.",
                file=file,
            )
        )
    return file


def _path(name: str, archive: Path) -> Path:
    from pipelines.archive.warc_files import path_of

    return path_of(archive, name)


def _place(capture: Row, archive: Path) -> str:
    from pipelines.archive.warc_files import is_saved

    if is_saved(capture["file"]):
        return gettext("It is the saved file %(file)s.", file=_path(capture["file"], archive))
    byte = number(capture["offset"])
    return gettext("It lies in %(file)s, at byte %(byte)s.", file=_path(capture["file"], archive), byte=byte)


def _unreadable(file: Path | str, error: OSError) -> str:
    return gettext("%(file)s cannot be read: %(error)s.", file=file, error=error.strerror)
