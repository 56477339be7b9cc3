"""What reading a sitemap costs: `python -m tests.benchmarks.sitemaps`.

Full ones (50,000 addresses, as many as the protocol allows) of several kinds, in CPU seconds of one process, the least of three.
"""

import time
from datetime import UTC, datetime, timedelta

from crawler.parsers.listings import read_listing

URL = "https://www.paper.example/sitemap.xml"
ENTRIES = 50_000
NEWEST = datetime(2026, 11, 7, 10, tzinfo=UTC)
KINDS = {
    "plain": "https://www.paper.example/news/{number}",
    "with a slug": "https://www.paper.example/2026/11/07/the-{number}-lamps-of-the-slipway.html",
    "with escapes": "https://www.paper.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/{number}",
    "not escaped": "https://www.paper.example/новости/{number}",
    "with a query": "https://www.paper.example/article?id={number}&amp;utm_source=map",
    "with a port": "https://www.paper.example:8443/news/{number}",
    "relative": "/news/{number}",
}


def main() -> None:
    print(f"{ENTRIES} addresses          all   of the last day")
    for kind, address in KINDS.items():
        body = sitemap(address)
        print(f"{kind:<20} {seconds(body, None):8.2f} s {seconds(body, NEWEST - timedelta(days=1)):8.2f} s")


def sitemap(address: str) -> bytes:
    """One address a minute, the newest last."""
    entries = "".join(entry(address.format(number=number), number) for number in range(ENTRIES))
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'.encode()


def entry(address: str, number: int) -> str:
    changed = NEWEST - timedelta(minutes=ENTRIES - number)
    return f"<url><loc>{address}</loc><lastmod>{changed.isoformat()}</lastmod></url>"


def seconds(body: bytes, since: datetime | None) -> float:
    return min(timed(body, since) for _ in range(3))


def timed(body: bytes, since: datetime | None) -> float:
    started = time.process_time()
    read_listing(body, URL, "sitemap", since)
    return time.process_time() - started


if __name__ == "__main__":
    main()
