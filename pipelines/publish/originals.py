"""HTML source of a capture: a record in a WARC file -> the characters that were sent. Read, never rendered.

Where the record lies is what the archive's table says, and warc_files.path_of() finds it.
"""

from pathlib import Path

from datasette.utils.asgi import NotFound

from crawler.encodings import decoded_html
from crawler.items import MAX_PAGE_BYTES, Page
from pipelines.publish.queries import Row


def source_of(capture: Row, archive: Path) -> bytes:
    """The page of a row of queries.capture() in UTF-8, unpacked, at most MAX_PAGE_BYTES of it as they were sent. NotFound, in
    words, where it cannot be had.

    Takes 2 ms, for the largest up to three seconds: not to be called in the event loop.
    """
    if capture["status"] and 300 <= capture["status"] < 400:
        raise NotFound(f"This answer was a redirect (HTTP {capture['status']}): it has no page of its own.")
    page = _page_of(capture, archive)
    if len(page.body) > MAX_PAGE_BYTES:
        raise NotFound(
            f"This original has more than {MAX_PAGE_BYTES >> 20} MB unpacked: too much to be shown. {_place(capture, archive)}"
        )
    if not page.body:
        raise NotFound(f"This record has no page that could be shown. {_place(capture, archive)}")
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
        raise NotFound(f"{error.filename or file} cannot be read: {error.strerror}.") from None
    if page is None:
        raise NotFound(
            f"No page begins there any more: it was taken down, or the file is damaged, of which `broadsheet doctor` tells."
            f" {_place(capture, archive)}"
        )
    return page


def _saved_page_of(capture: Row, archive: Path) -> Page:
    """A page that somebody saved, as long as it is the one that was imported: an archive leads to no other file."""
    from crawler.parsers.saved_files import read_again
    from pipelines.archive.warc_files import holder_of

    file = _path(capture["file"], archive)
    holder = holder_of(file)
    if holder is None:
        raise NotFound(f"This page was read from a saved file that is not there any more: {file}.")
    if holder != file:
        raise NotFound(f"This page was read from {file.relative_to(holder)} in {holder}: unpack it to see its HTML.")
    try:
        page = read_again(file, capture["digest"])
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.") from None
    if page is None:
        raise NotFound(f"This page was read from a saved file that holds something else by now: {file}.")
    return page


def _found(name: str, archive: Path) -> Path:
    """A file that is there. NotFound where none is, or what is no file."""
    file = _path(name, archive)
    if not file.is_file():
        raise NotFound(
            f"The original is in a file that is not there: {file}. Where the archive goes, its folder warc/ goes, too."
        )
    return file


def _path(name: str, archive: Path) -> Path:
    from pipelines.archive.warc_files import path_of

    return path_of(archive, name)


def _place(capture: Row, archive: Path) -> str:
    from pipelines.archive.warc_files import is_saved

    if is_saved(capture["file"]):
        return f"It is the saved file {_path(capture['file'], archive)}."
    return f"It lies in {_path(capture['file'], archive)}, at byte {capture['offset']:,}."
