"""Answers that are packed in something else than they say, over real HTTP on loopback."""

import gzip
import zlib

import brotli  # type: ignore[import-untyped]
import pytest

from crawler.encodings import beginning, true_encoding
from tests.loopback import Site, article_html, story
from tests.newsroom import Newsroom

PAGE = article_html("The pier", story("pier")).encode()


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ("gzip", PAGE),
        ("br", PAGE),
        ("deflate", PAGE),
        ("zstd", PAGE),
        ("br", gzip.compress(PAGE)),
        ("gzip, gzip", gzip.compress(PAGE)),
        ("x-gzip;q=1, identity", gzip.compress(PAGE)),
        ("none", gzip.compress(PAGE)),
        ("utf-8", PAGE),
        ("gzip", gzip.compress(PAGE) + b"junk"),
    ],
)
def test_a_page_is_unpacked_by_its_bytes(site: Site, newsroom: Newsroom, said: str, body: bytes) -> None:
    site.add("/robots.txt", b"User-agent: *\nDisallow: /no", Content_Encoding="br")
    site.add("/pier", body, Content_Encoding=said)
    feed = f"<rss><channel><item><link>{site.url}/pier</link></item></channel></rss>"
    site.add("/feed", feed, Content_Encoding="deflate")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    assert newsroom.rows("select title from articles") == [("The pier",)]


def test_of_a_packed_robots_txt_the_beginning_is_read(site: Site, newsroom: Newsroom) -> None:
    bomb = b"User-agent: *\nDisallow: /no\n" + b"# more\n" * 15_000_000
    site.add("/robots.txt", gzip.compress(bomb), Content_Encoding="gzip")
    site.add("/pier", PAGE)
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier", "{site.url}/no"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("article", None), f"{site.url}/no": ("refused", "robots")}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", ""])
def test_no_more_comes_out_than_is_asked_for(encoding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "": bytes}[encoding]
    assert beginning(pack(b"ab" * 100_000), encoding, 1000) == b"ab" * 500


def test_brotli_and_deflate_are_believed_unless_they_are_text() -> None:
    assert [true_encoding(brotli.compress(PAGE), "br"), true_encoding(PAGE, "br")] == ["br", ""]
    assert [true_encoding(zlib.compress(PAGE), "deflate"), true_encoding(b"", "gzip")] == ["deflate", ""]
