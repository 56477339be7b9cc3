"""Answers that are packed in something else than they say, over real HTTP on loopback."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest

from crawler.parsers.content_encoding import decompress_prefix, sniff_encoding
from tests.support.loopback import Site, article_html, story
from tests.support.newsroom import Newsroom

PAGE = article_html("The pier", story("pier")).encode()

MISTAKES: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("gzip", bytes),
    ("br", bytes),
    ("deflate", bytes),
    ("zstd", bytes),
    ("br", gzip.compress),
    ("gzip, gzip", gzip.compress),
    ("x-gzip;q=1, identity", gzip.compress),
    ("none", gzip.compress),
    ("utf-8", bytes),
    ("gzip", lambda page: gzip.compress(page) + b"junk"),
)
"""What Content-Encoding says, and what is done to the page."""


def test_a_page_is_unpacked_by_its_bytes(site: Site, newsroom: Newsroom) -> None:
    site.add("/robots.txt", b"User-agent: *\nDisallow: /no", Content_Encoding="br")
    for number, (said, pack) in enumerate(MISTAKES):
        page = article_html(f"{number}: {said}", story(f"pier {number}")).encode()
        site.add(f"/{number}", pack(page), Content_Encoding=said)
    items = "".join(f"<item><link>{site.url}/{number}</link></item>" for number in range(len(MISTAKES)))
    site.add("/feed", f"<rss><channel>{items}</channel></rss>", Content_Encoding="deflate")
    newsroom.watch(f'url = "{site.url}/"\nfeeds = ["{site.url}/feed"]')
    newsroom.crawl()
    titles = {title for (title,) in newsroom.rows("select title from articles")}
    assert titles == {f"{number}: {said}" for number, (said, _) in enumerate(MISTAKES)}


def test_of_a_packed_robots_txt_the_beginning_is_read(site: Site, newsroom: Newsroom) -> None:
    bomb = b"User-agent: *\nDisallow: /no\n" + b"# more\n" * 2_000_000
    site.add("/robots.txt", gzip.compress(bomb), Content_Encoding="gzip")
    site.add("/pier", PAGE)
    newsroom.watch(f'url = "{site.url}/"\npages = ["{site.url}/pier", "{site.url}/no"]')
    newsroom.crawl()
    assert newsroom.states() == {f"{site.url}/pier": ("article", None), f"{site.url}/no": ("refused", "robots")}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", ""])
def test_no_more_comes_out_than_is_asked_for(encoding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "": bytes}[encoding]
    assert decompress_prefix(pack(b"ab" * 100_000), encoding, 1000) == b"ab" * 500


def test_brotli_and_deflate_are_believed_unless_they_are_text() -> None:
    assert [sniff_encoding(brotli.compress(PAGE), "br"), sniff_encoding(PAGE, "br")] == ["br", ""]
    assert [sniff_encoding(zlib.compress(PAGE), "deflate"), sniff_encoding(b"", "gzip")] == ["deflate", ""]


RUSSIAN = ("<!DOCTYPE html><title>Порт закрыт на зиму</title>" + "Буксиры стоят у причала. " * 20).encode()


@pytest.mark.parametrize("said", ["gzip", "zstd", "br", "deflate"])
def test_text_of_any_script_is_text_whatever_it_is_said_to_be_packed_in(said: str) -> None:
    assert [
        sniff_encoding(text, said) for text in (RUSSIAN, b"\xef\xbb\xbf" + RUSSIAN, RUSSIAN.decode().encode("cp1251"))
    ] == ["", "", ""]


def test_deflate_without_the_head_of_zlib_is_read_as_many_servers_mean_it() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    assert decompress_prefix(packer.compress(b"User-agent: *") + packer.flush(), "deflate", 100) == b"User-agent: *"
