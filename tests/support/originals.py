"""What the WARC files beside an archive hold, as other programs read them; and a server that says any bytes."""

import socketserver
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader
from warcio.checker import Checker

from tests.support.newsroom import Newsroom


@dataclass
class Record:
    """One record of a WARC file."""

    kind: str
    url: str | None
    head: dict[str, str]  #: WARC's own
    http: list[tuple[str, str]]  #: the HTTP head's; [] of a record without one
    status_line: str
    body: bytes  #: as it was sent
    offset: int


def files(folder: Path) -> list[Path]:
    return sorted((folder / "warc").glob("*")) if (folder / "warc").exists() else []


def records(file: Path) -> list[Record]:
    with file.open("rb") as stream:
        found = ArchiveIterator(stream)
        return [_record(record, found) for record in found]


def split(file: Path, number: int) -> list[Path]:
    """The records of a WARC file in so many files beside it, each a run of them."""
    data, offsets = file.read_bytes(), [record.offset for record in records(file)]
    cuts = [offsets[len(offsets) * place // number] for place in range(number)]
    made = []
    for place, (start, end) in enumerate(zip(cuts, [*cuts[1:], len(data)], strict=True)):
        made.append(file.with_name(f"{place:02}.warc.gz"))
        made[-1].write_bytes(data[start:end])
    return made


def _record(record: Any, found: Any) -> Record:
    http = record.http_headers
    body = record.raw_stream.read()
    return Record(
        kind=record.rec_type,
        url=record.rec_headers.get_header("WARC-Target-URI"),
        head=dict(record.rec_headers.headers),
        http=list(http.headers) if http else [],
        status_line=f"{http.protocol} {http.statusline}".strip() if http else "",
        body=body,
        offset=found.get_record_offset(),
    )


def all_records(folder: Path) -> list[Record]:
    return [record for file in files(folder) for record in records(file)]


def spoken(word: bytes, folder: Path) -> list[str]:
    """The files that have these bytes anywhere: as they lie, in a record, or in a body that its server packed."""
    return [
        file.name
        for file in (*folder.glob("*.db*"), *files(folder))
        if any(word in data.lower() for data in read_as_anybody_could(file))
    ]


def read_as_anybody_could(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    yield data
    if file.name.endswith(".gz"):
        yield from (record.body for record in records(file))
        at = 0
        while (at := data.find(b"\x1f\x8b\x08", at)) >= 0:
            yield (whole := unpacked(data[at:]))
            inner = whole.find(b"\x1f\x8b\x08")
            yield unpacked(whole[inner:]) if inner >= 0 else b""
            at += 1


def unpacked(data: bytes) -> bytes:
    """As far as it goes."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS + 16).decompress(data)
    except zlib.error:
        return b""


def complaints(folder: Path) -> int:
    """What `warcio check` exits with over the files of a folder: 0 where all digests are right and nothing is cut off.

    With the `brotli` package beside it warcio fails of every body in br (its issue 73), without it such bodies are left packed.
    """
    BufferedReader.DECOMPRESSORS.pop("br", None)

    class Arguments:
        inputs = [str(file) for file in files(folder)]  # noqa: RUF012
        verbose = False

    checker = Checker(Arguments())
    checker.process_all()
    return int(checker.exit_value)


def unknown_responses(newsroom: Newsroom) -> list[str]:
    """Addresses of responses and revisits that no row of `captures` tells of."""
    known = set(newsroom.rows("select file, offset from captures"))
    return [
        record.url or ""
        for file in files(newsroom.folder)
        for record in records(file)
        if record.kind in ("response", "revisit") and (file.name, record.offset) not in known
    ]


@dataclass
class RawSite:
    """Answers any bytes to a path, then ends the connection."""

    url: str
    answers: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def raw_site() -> Iterator[RawSite]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            path = self.rfile.readline().split(b" ")[1].decode()
            while self.rfile.readline().strip():
                pass
            self.wfile.write(
                site.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            )

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        site = RawSite(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield site
        finally:
            server.shutdown()
