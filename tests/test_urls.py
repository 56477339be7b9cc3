"""Which addresses are one page, which hosts are one site, what is a front page."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.urls import UnusableURL, canonical_url, is_front_page, original_url, same_site, site_of


@pytest.mark.parametrize(
    "query",
    [
        "utm_source=rss&utm_medium=feed",
        "UTM_Campaign=x",
        "utm%5Fsource=x",
        "fbclid=a&gclid=b&msclkid=c&yclid=d&igshid=e",
        "mc_cid=1&mc_eid=2&_hsenc=3&_hsmi=4&mkt_tok=5",
        "at_medium=RSS&at_campaign=KARANGA&at_custom1=link",
        "xtor=RSS-1&wt_mc=rss.red&pk_campaign=a&mtm_source=b&ns_mchannel=rss",
        "guccounter=1&guce_referrer=a&_ga=2.1&_gl=1",
        "utm_source",
        "&&",
        "",
    ],
)
def test_what_only_says_how_a_reader_came_is_removed(query: str) -> None:
    assert canonical_url(f"https://www.x.example/a?{query}") == "https://www.x.example/a"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("/a;jsessionid=0A1B2C.node1", "/a"),
        ("/a;JSESSIONID=0A1B2C?page=2", "/a?page=2"),
        ("/a;jsessionid=1/b.html", "/a/b.html"),
        ("/a;v=2", "/a;v=2"),
        ("/a?PHPSESSID=c0ffee&id=3", "/a?id=3"),
        ("/a.php?PHPSESSID=c0ffee", "/a.php"),
        ("/a?jsessionid=1", "/a"),
        ("/a.asp?id=7&ASPSESSIONIDQQTRBCAD=X", "/a.asp?id=7"),
        ("/a?CFID=12&CFTOKEN=34", "/a"),
        ("/a?sid=9f86d081884c7d659a2feaa0c55ad015", "/a"),
        ("/view.php?t=12&SID=9f86d081884c7d659a2feaa0c55ad015", "/view.php?t=12"),
        ("/a?session_id=q2w3e4r5t6y7u8i9", "/a"),
        ("/article.pl?sid=26/11/03/1714", "/article.pl?sid=26/11/03/1714"),
        ("/news.php?name=News&sid=4711", "/news.php?name=News&sid=4711"),
        ("/story.php?sid=9f86d081884c7d659a2feaa0c55ad015", "/story.php?sid=9f86d081884c7d659a2feaa0c55ad015"),
        ("/?sid=9f86d081884c7d659a2feaa0c55ad015", "/?sid=9f86d081884c7d659a2feaa0c55ad015"),
        ("/a?sid=5f3e1c2ab7d4e6f8a9b0c1d2", "/a?sid=5f3e1c2ab7d4e6f8a9b0c1d2"),
        ("/a?sid=mill-burns-down-in-lowmarch", "/a?sid=mill-burns-down-in-lowmarch"),
        ("/a?session=keynote2026", "/a?session=keynote2026"),
    ],
)
def test_a_session_is_no_part_of_an_address_and_what_may_be_a_story_is(url: str, canonical: str) -> None:
    assert canonical_url(f"https://x.example{url}") == f"https://x.example{canonical}"
    assert canonical_url(f"https://x.example{canonical}") == f"https://x.example{canonical}"


@pytest.mark.parametrize(
    "query",
    [
        "id=1",
        "p=12",
        "page=2",
        "ref=5",
        "source=7",
        "story=3&id=4",
        "b=2&a=1",
        "q=utm_source",
        "my_utm_source=1",
        "s=1&cid=2&c=3&t=4&ito=5",
        "flag",
        "a=b=c",
        "a=1;b=2",
        "q=a+b",
    ],
)
def test_what_may_choose_the_article_stays_as_and_where_it_is(query: str) -> None:
    assert canonical_url(f"https://www.x.example/a?{query}") == f"https://www.x.example/a?{query}"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        pytest.param(
            "HTTPS://WWW.X.Example/A", "https://www.x.example/A", id="scheme and host in lower case, path as it is"
        ),
        pytest.param(" https://x.example \n", "https://x.example/", id="white space around, no path"),
        pytest.param("https://x.example/a#part", "https://x.example/a", id="fragment"),
        pytest.param(
            "https://x.example/?id=1&utm_source=a&p=2", "https://x.example/?id=1&p=2", id="tracker among parameters"
        ),
        pytest.param("http://x.example:80/a", "http://x.example/a", id="default port of http"),
        pytest.param("https://x.example:443/a", "https://x.example/a", id="default port of https"),
        pytest.param("https://x.example:/a", "https://x.example/a", id="empty port"),
        pytest.param("http://x.example:443/a", "http://x.example:443/a", id="the other scheme's port"),
        pytest.param("https://x.example./a", "https://x.example/a", id="final dot"),
        pytest.param("https://@x.example/a", "https://x.example/a", id="empty user name"),
        pytest.param("https://x.example/%e4%b8%ad%7Ea%2fb", "https://x.example/%E4%B8%AD~a%2Fb", id="escapes"),
        pytest.param(
            "https://x.example/中?q=ü b", "https://x.example/%E4%B8%AD?q=%C3%BC%20b", id="what must be escaped"
        ),
        pytest.param("https://x.example/100%", "https://x.example/100%25", id="lone percent sign"),
        pytest.param("https://x.example/%%341", "https://x.example/%2541", id="percent sign before an escape"),
        pytest.param("https://x.example/a?b=c?d/e", "https://x.example/a?b=c?d/e", id="question mark in the query"),
        pytest.param("https://müller.example/", "https://xn--mller-kva.example/", id="international name"),
        pytest.param(
            "https://MÜLLER.example:8443/", "https://xn--mller-kva.example:8443/", id="international name and port"
        ),
        pytest.param("http://[2001:DB8::1]:8080/a", "http://[2001:db8::1]:8080/a", id="IPv6"),
        pytest.param("http://[2001:db8:0:0:0::0:1]/a", "http://[2001:db8::1]/a", id="IPv6, zeros"),
        pytest.param("http://[::1]:80", "http://[::1]/", id="IPv6, default port"),
        pytest.param("http://127.0.0.1:8001/a", "http://127.0.0.1:8001/a", id="IPv4"),
        pytest.param("https://a_b.x.example/", "https://a_b.x.example/", id="underscore in the host"),
        pytest.param("https://x.example/a/", "https://x.example/a/", id="final slash"),
        pytest.param("https://x.example/amp/a?amp=1", "https://x.example/amp/a?amp=1", id="AMP twin left alone"),
    ],
)
def test_one_page_has_one_address(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    [
        "", "/a", "//x.example/a", "x.example/a", "https:///a", "https:x.example", "https://", "https://.example/", "https://a..b/",
        "mailto:desk@x.example", "javascript:void(0)", "data:text/html,a", "ftp://x.example/a", "file:///etc/passwd", "urn:sha256:ab",
        "https://user@x.example/", "https://user:word@x.example/", "https://:word@x.example/", "https://x.example:0/",
        "https://x.example:99999/", "https://x.example:port/", "http://[::1", "http://[x]/", "https://ex%61mple.example/",
        "https://x .example/", "https://x\ufffd.example/", "https://x.example/\ud800", f"https://{'a' * 64}.example/", f"https://{'a.' * 130}example/",
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_or_carries_credentials_is_unusable(url: str) -> None:
    with pytest.raises(UnusableURL):
        canonical_url(url)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.text().map("https://x.example/".__add__),
        st.text("%?&=#/.:@[]aA4utm_é \t", max_size=40).map("http://a".__add__),
    )
)
def test_a_canonical_address_is_its_own_canonical_address(url: str) -> None:
    with contextlib.suppress(UnusableURL):
        canonical = canonical_url(url)
        assert canonical_url(canonical) == canonical
        assert site_of(canonical) is not None


PIECES = st.sampled_from(
    [
        "http://",
        "https://",
        "HTTPS://",
        "www.",
        "x.example",
        "X",
        "127.0.0.1",
        "1",
        "localhost",
        "xn--",
        "-",
        "_",
        ".",
        "/",
        "//",
        "/..",
        "/a",
        ";",
        ",",
        ":",
        ":80",
        ":443",
        ":8443",
        ":4430",
        ":0",
        ":080",
        ":99999",
        "@",
        "?",
        "=",
        "&",
        "&&",
        "utm_source=x",
        "a=1",
        "#",
        "%20",
        "%2F",
        "%41",
        "%7E",
        "%C3%A9",
        "%c3",
        "%",
        "+",
        "'",
        "|",
        "(",
        "[",
        "ü",
        "новости",
        "e\u0301",
        "港\u3000湾",
        "\x85-\u2028-\ufeff",
        "\U0001f6a2",
        "\ud800",
        "news",
        "2026/11/07",
        "~",
        ".html",
    ]
)


@settings(deadline=None, max_examples=500)
@given(st.lists(PIECES, max_size=8).map(lambda pieces: "".join(("https://x.example", *pieces))), PIECES)
def test_an_address_read_at_a_glance_is_what_it_is_read_thoroughly(url: str, start: str) -> None:
    """A fragment, which no canonical address has, makes every address one of those that are split and decoded."""
    for said in (url, f"{start}{url.removeprefix('https://')}"):
        if "#" not in said:
            assert usable(said) == usable(f"{said}#")
            assert site_of(said) == site_of(f"{said}#")


def usable(url: str) -> str | None:
    try:
        return canonical_url(url)
    except UnusableURL:
        return None


@settings(deadline=None)
@given(st.text("https:/.@[]%x1é", max_size=30))
def test_asking_for_the_site_of_anything_is_safe(url: str) -> None:
    assert same_site(url, url) == (site_of(url) is not None)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.x.co.uk/a", "x.co.uk"),
        ("http://m.news.x.com:8080/", "x.com"),
        ("https://one.blogspot.com/", "one.blogspot.com"),
        ("https://paper.github.io/", "paper.github.io"),
        ("https://www.x.example/", "x.example"),
        ("https://WWW.X.COM./", "x.com"),
        ("https://müller.de/", "xn--mller-kva.de"),
        ("https://xn--mller-kva.de/", "xn--mller-kva.de"),
        ("https://новости.рф/", "xn--b1amnebsh.xn--p1ai"),
        ("http://127.0.0.1:8001/", "127.0.0.1:8001"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://localhost:80/", "localhost"),
        ("http://[::1]:8001/", "[::1]:8001"),
        ("urn:sha256:ab", None),
        ("mailto:desk@x.com", None),
        ("http://[::1", None),
        ("https://x.com:99999/", None),
        ("", None),
    ],
)
def test_a_site_is_what_somebody_registered(url: str, site: str | None) -> None:
    assert site_of(url) == site


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("https://www.x.com/a", "http://m.x.com/b", True, id="www and mobile"),
        pytest.param("https://x.com/", "https://x.com:8443/", True, id="ports of a registered name"),
        pytest.param(
            "https://müller.de/", "https://www.xn--mller-kva.de/", True, id="both spellings of an international name"
        ),
        pytest.param("http://127.0.0.1/", "https://127.0.0.1/", True, id="http and https of a machine"),
        pytest.param("https://one.blogspot.com/", "https://two.blogspot.com/", False, id="two blogs of one host"),
        pytest.param("https://one.github.io/", "https://two.github.io/", False, id="two projects of one host"),
        pytest.param("https://x.co.uk/", "https://y.co.uk/", False, id="one country's suffix"),
        pytest.param("http://127.0.0.1:8001/", "http://127.0.0.1:8002/", False, id="ports of a machine"),
        pytest.param("urn:sha256:ab", "urn:sha256:ab", False, id="no site at all"),
    ],
)
def test_sites_are_told_apart_by_their_owners(one: str, other: str, same: bool) -> None:
    assert (same_site(one, other), same_site(other, one)) == (same, same)


@pytest.mark.parametrize(
    "path",
    ["", "/", "//", "/#top", "/index.html", "/index.htm", "/INDEX.PHP", "/index.php/", "/default.aspx", "/index.shtml"],
)
def test_the_root_is_a_front_page(path: str) -> None:
    assert is_front_page(f"https://www.x.example{path}")


@pytest.mark.parametrize(
    "path", ["/?p=1", "/index.php?id=3", "/news/", "/news/index.html", "/en", "/index.html.bak", "/myindex.html"]
)
def test_what_has_a_path_or_a_query_is_no_front_page(path: str) -> None:
    assert not is_front_page(f"https://www.x.example{path}")


@pytest.mark.parametrize(
    ("url", "original"),
    [
        ("https://web.archive.org/web/20200102030405/https://www.x.example/a?b=1", "https://www.x.example/a?b=1"),
        ("https://web.archive.org/web/20200102030405id_/http:/x.example/a", "http://x.example/a"),
        ("https://web.archive.org/web/2020im_/https://x.example/a.jpg", "https://x.example/a.jpg"),
        ("http://archive.ph/2026.11.20-100000/https://x.example/a", "https://x.example/a"),
        ("https://webarchive.x.example/20200102030405/https://y.example/", "https://y.example/"),
        ("https://x.example/wayback/20200102030405mp_/https://y.example/a", "https://y.example/a"),
        ("https://x.example/2020/01/02/a", "https://x.example/2020/01/02/a"),
        ("https://x.example/share/https://y.example/a", "https://x.example/share/https://y.example/a"),
        ("https://x.example/go?to=/2020/https://y.example/a", "https://x.example/go?to=/2020/https://y.example/a"),
    ],
)
def test_a_web_archives_address_is_that_of_the_page_it_keeps(url: str, original: str) -> None:
    assert original_url(url) == original


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://straße.example/a", "xn--strae-oqa.example"),
        ("https://www.Straße.example:8080/ä", "www.xn--strae-oqa.example:8080"),
        ("https://βόλος.example/", "xn--nxasmm1c.example"),
        ("https://müller.example/", "xn--mller-kva.example"),
        ("https://日本語。example/", "xn--wgv71a119e.example"),
    ],
)
def test_a_host_is_written_as_browsers_do(written: str, host: str) -> None:
    assert canonical_url(written).split("/")[2] == host
