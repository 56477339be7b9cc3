"""TLS certificates are verified, with the faults that servers have, on loopback."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.support.loopback import Site, serving, story
from tests.support.newsroom import Newsroom
from tests.support.pki import Pki, der_of


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    (tmp_path / "pki").mkdir()
    return Pki(tmp_path / "pki")


def publish(site: Site, newsroom: Newsroom, more: str = "") -> None:
    """One article behind a feed."""
    site.feed("/feed", site.article("/loom", "The loom", story("loom")))
    newsroom.watch(f'url = "{site.url}/"\nname = "Mill"\nfeeds = ["{site.url}/feed"]\n{more}')


def polled(newsroom: Newsroom) -> str:
    return str(newsroom.rows("select last_status from feeds")[0][0])


def test_a_server_whose_certificate_leads_to_a_trusted_root_is_read(pki: Pki, newsroom: Newsroom) -> None:
    with serving(tls=pki.server(pki.intermediate)) as site:
        publish(site, newsroom)
        newsroom.crawl(env=pki.trust())
        assert newsroom.rows("select state, unchecked from pages") == [("article", None)]


FAULTS: dict[str, tuple[Callable[[Pki], ssl.SSLContext], str, str]] = {
    "expired": (lambda pki: pki.server(pki.root, days=-1), "certificate_expired", "has expired"),
    "wrong name": (lambda pki: pki.server(pki.root, "www.mill.example"), "certificate_wrong_name", "wrong name"),
    "wrong address": (lambda pki: pki.server(pki.root, "127.0.0.2"), "certificate_wrong_name", "wrong name"),
    "unknown issuer": (lambda pki: pki.server(trustme.CA()), "certificate_unknown_issuer", "unknown issuer"),
    "self-signed": (lambda pki: pki.server(), "certificate_unknown_issuer", "unknown issuer"),
    "missing intermediate": (
        lambda pki: pki.server(pki.intermediate, whole=False, issuer_at="http://127.0.0.1:9/ca"),
        "certificate_incomplete",
        "leaves out an intermediate",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_certificate_is_named_and_what_to_write(fault: str, pki: Pki, newsroom: Newsroom) -> None:
    made, word, words = FAULTS[fault]
    with serving(tls=made(pki)) as site:
        publish(site, newsroom)
        done = newsroom.crawl(code=1, env=pki.trust())
        assert (polled(newsroom), site.asked) == (word, [])
        assert words in done.stderr
        assert 'certificates = "unchecked"' in done.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_may_ask_without_checking_and_its_pages_say_so(fault: str, pki: Pki, newsroom: Newsroom) -> None:
    with serving(tls=FAULTS[fault][0](pki)) as site:
        publish(site, newsroom, 'certificates = "unchecked"')
        assert newsroom.crawl(env=pki.trust()).stderr == ""
        assert newsroom.rows("select state, unchecked from pages") == [("article", 1)]


def test_a_source_that_does_not_mind_opens_no_host_to_another(pki: Pki, newsroom: Newsroom) -> None:
    with serving(tls=pki.server()) as site:
        publish(site, newsroom)
        site.answers["/other"] = site.answers["/feed"]
        kinds = [("Strict", "/feed", ""), ("Loose", "/other", 'certificates = "unchecked"')]
        newsroom.watch(
            *(
                f'url = "{site.url}/{name}"\nname = "{name}"\nfeeds = ["{site.url}{feed}"]\n{more}'
                for name, feed, more in kinds
            )
        )
        newsroom.crawl(env=pki.trust())
        assert newsroom.rows("select last_status from feeds order by id") == [("certificate_unknown_issuer",), ("ok",)]
        assert newsroom.rows("select state, unchecked from pages") == [("article", 1)]
        assert "/feed" not in site.asked


def test_an_intermediate_certificate_that_a_server_leaves_out_is_fetched(
    pki: Pki, newsroom: Newsroom, site: Site
) -> None:
    site.add("/ca.der", der_of(pki.intermediate))
    with serving(tls=pki.server(pki.intermediate, whole=False, issuer_at=f"{site.url}/ca.der")) as mill:
        publish(mill, newsroom)
        newsroom.crawl(env=pki.trust())
        assert newsroom.rows("select state, unchecked from pages") == [("article", None)]
        assert site.asked == ["/robots.txt", "/ca.der"]
        newsroom.crawl("--quiet", env=pki.trust())
        assert site.asked == ["/robots.txt", "/ca.der", "/ca.der"]  # what it costs not to keep it


def test_what_is_fetched_as_an_intermediate_is_believed_only_below_a_trusted_root(
    pki: Pki, newsroom: Newsroom, site: Site
) -> None:
    root = trustme.CA()
    stranger = root.create_child_ca()
    site.add("/ca", der_of(stranger))
    site.add("/root", der_of(root))
    for ca, place in ((stranger, "/ca"), (root, "/root")):
        with serving(tls=pki.server(ca, whole=False, issuer_at=f"{site.url}{place}")) as mill:
            publish(mill, newsroom)
            newsroom.crawl(code=1, env=pki.trust())
            assert newsroom.rows("select distinct last_status from feeds") == [("certificate_unknown_issuer",)]
            assert mill.asked == []


@pytest.mark.parametrize("place", ["{site}/ca", "http://10.255.255.1/ca"], ids=["robots.txt", "address guard"])
def test_a_certificate_may_not_send_the_crawl_where_nobody_may_go(
    place: str, pki: Pki, newsroom: Newsroom, site: Site
) -> None:
    site.add("/robots.txt", "User-agent: *\nDisallow: /")
    site.add("/ca", der_of(pki.intermediate))
    with serving(tls=pki.server(pki.intermediate, whole=False, issuer_at=place.format(site=site.url))) as mill:
        publish(mill, newsroom)
        newsroom.crawl(code=1, env=pki.trust())
        assert polled(newsroom) == "certificate_incomplete"
        assert "/ca" not in site.asked


def test_a_certificate_that_names_its_own_server_for_its_issuer_holds_nobody_up(pki: Pki, newsroom: Newsroom) -> None:
    with serving() as plain:
        pass  # a free port
    context = pki.server(pki.intermediate, whole=False, issuer_at=f"http://127.0.0.1:{plain.url.rpartition(':')[2]}/ca")
    with serving(tls=context) as mill:
        publish(mill, newsroom)
        newsroom.crawl(code=1, env=pki.trust())
        assert polled(newsroom) == "certificate_incomplete"
