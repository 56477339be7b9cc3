"""WARC files of invented pages, and of what else lies in archives."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.support.loopback import article_html, story

Record = dict[str, Any]


def response(url: str, body: str | bytes, *, status: str = "200 OK", kind: str = "text/html", **more: Any) -> Record:
    """A record of an answer; `date` is its WARC-Date, `headers` are more of HTTP's, `type` is another than response."""
    data = body.encode() if isinstance(body, str) else body
    return {"url": url, "body": data, "status": status, "kind": kind} | more


def article(number: int, *, host: str = "news.example", date: str = "2026-11-03T08:15:00Z", **more: Any) -> Record:
    """A record of an article unlike all of other numbers."""
    html = article_html(f"Of pier {number}", story(f"pier {number} {host}"), date)
    return response(f"https://{host}/{number}", html, date=date, **more)


def write_warc(file: Path, records: Iterable[Record], *, packed: bool = True) -> Path:
    with file.open("wb") as stream:
        writer = WARCWriter(stream, gzip=packed)
        for record in records:
            headers = [("Content-Type", record["kind"]), *record.get("headers", ())]
            made = writer.create_warc_record(
                record["url"],
                record.get("type", "response"),
                payload=io.BytesIO(record["body"]),
                http_headers=StatusAndHeaders(record["status"], headers, protocol="HTTP/1.1"),
                warc_headers_dict={"WARC-Date": record.get("date", "2026-11-03T08:15:00Z")},
            )
            writer.write_record(made)
    return file


def write_articles(folder: Path, files: int, pages: int) -> list[Path]:
    """So many files of so many articles each."""
    return [
        write_warc(
            folder / f"{place}.warc.gz", [article(number) for number in range(place * pages, (place + 1) * pages)]
        )
        for place in range(files)
    ]
