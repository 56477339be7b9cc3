"""The data that flows: Link and Listing, Page, Article, Outcome; and Host. No behaviour, no clock, no database.

    a feed, sitemap or front page ──► Listing (its Links)  ─────────────────────┐
    an article's address, a saved file, a WARC record ──► Page ──► Outcome ─────┴──► store
                                                                 (Article or a reason)

None always means "the page (or the feed) did not say"; there are no empty strings that mean nothing.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

ENTRY_POINTS = ("feeds", "sitemaps", "pages")
"""The keys that name what to read, instead of leaving it to discovery."""


KINDS = ("feed", "news_sitemap", "sitemap", "homepage")
"""What may be discovered, in the order in which it is tried: the most precise first."""


TITLES = ("headline", "og:title", "h1")
"""Where a page says its title: in JSON-LD, for sharing, on the page. Where they disagree, each site has its habit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One news site as its user describes it."""

    url: str  #: the front page; also the source's identity from run to run
    name: str  #: what people read; the host without `www.` unless given
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()  #: single article addresses
    discover: tuple[str, ...] = KINDS  #: () when entry points are named
    language: str | None = None  #: believed where the page is silent
    timezone: str | None = None  #: IANA name for times that carry no offset
    category: str | None = None
    enabled: bool = True
    include: tuple[str, ...] = ()  #: regular expressions, searched in the URL; () takes all
    exclude: tuple[str, ...] = ()
    body: str | None = None  #: XPath or CSS of the article's element
    strip: tuple[str, ...] = ()  #: XPath or CSS of what never belongs to the text
    title: str | None = None  #: one of TITLES: which of them is the title here
    recheck: bool = True  #: look again for changed articles
    warc: bool = True  #: whether its originals are kept
    certificates: str | None = None  #: `unchecked`: those of its https servers are taken as they are; None: verified

    def wants(self, url: str) -> bool:
        """Whether `include` and `exclude` let this address through."""
        included = not self.include or any(re.search(rule, url) for rule in self.include)
        return included and not any(re.search(rule, url) for rule in self.exclude)


WAYS = ("file", "email", "webhook", "command", "apprise")
"""Where an alert may go to, in the order in which it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is watched for, and where it is sent: one [[alert]] of sources.toml."""

    name: str  #: its identity from run to run
    query: str  #: words as the reading room's search takes them
    source: str | None = None  #: only of this source: its name or address
    category: str | None = None  #: only of the sources in this folder, and in those inside it
    language: str | None = None
    section: str | None = None
    file: str | None = None  #: an Atom file; relative: beside sources.toml
    email: str | None = None  #: one address
    webhook: str | None = None  #: an http or https address that gets JSON by POST
    command: str | None = None  #: gets JSON lines on standard input; words as a shell splits them, but no shell
    apprise: str | None = None  #: an address of Apprise, such as `ntfy://topic`

    @property
    def ways(self) -> tuple[str, ...]:
        """Those of WAYS that it takes."""
        return tuple(way for way in WAYS if getattr(self, way))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How e-mail leaves the machine: the [alerts] table of sources.toml."""

    smtp: str | None = None  #: `smtps://user@host:port`, or smtp:// with STARTTLS; None: the machine's sendmail
    sender: str | None = None  #: From; None: this user at this machine
    password_env: str | None = None  #: environment variable that holds the password
    password_file: str | None = None  #: file whose first line is the password; relative: beside sources.toml


MAX_PAGE_BYTES = 8 * 2**20
"""Of a page, unpacked, wherever it comes from: what is longer is refused as `too_large`. The largest labelled page has 1.6 MB."""


METADATA_TYPE = "application/x.broadsheet+json"
"""Content-Type of the WARC records that say how a page was found; docs/originals.md has their format."""


MAX_CHILDREN = 50
"""Sitemaps of an index that are asked in one run, likely newest first; and feeds that a front page may announce."""


WHOLE = (200, 203)
"""HTTP statuses of a whole answer; 203 says that a proxy on the way has changed it (RFC 9110, 15.3.4)."""


TURNED_AWAY = (401, 402, 403, 451)
"""HTTP statuses of a page that is there, and not for everybody: who has its text from elsewhere may keep it."""


WARC_SUFFIXES = (".warc", ".warc.gz")
"""File name extensions of web archives, in lower case. What is read from any other file is a saved page."""


LOCAL = ("file", "warc")
"""pages.via of copies: their addresses may be names, and nobody can be asked for them again."""


def via_of(kind: str) -> str:
    """pages.via of what a listing of this kind names: `feed` for every kind of feed, else the kind itself."""
    return "feed" if kind in ("rss", "atom", "json") else kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a feed or sitemap says of an article before anybody has fetched it. Believed only where the page is silent."""

    title: str | None = None
    description: str | None = None  #: plain text, markup removed
    authors: tuple[str, ...] = ()
    date_published: str | None = None  #: ISO 8601 as far as it was readable, offset kept; else the feed's own string
    language: str | None = None  #: BCP 47 tag
    image_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An article's address as a listing names it."""

    url: str  #: absolute, canonical_url() applied
    hints: Hints = field(default_factory=Hints)
    feed_html: str | None = None  #: the whole article as its feed has it, HTML; None: it has none, or only a teaser
    guid: str | None = None  #: what a feed's entry is called by; an address is canonical
    updated: str | None = None  #: like Hints.date_published, when the entry says that it was changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One look at a feed, a sitemap or a front page: what it links to, and how to ask next time."""

    url: str
    source: Source
    kind: str  #: rss, atom, json, news_sitemap, sitemap or homepage
    fetched_at: datetime  #: aware, UTC
    status: int | None = None  #: HTTP status; None when nothing answered
    failure: str | None = (
        None  #: why nothing could be read (`timeout`, `http_500`, `not_a_feed`); None when it was read
    )
    reserve: bool = False  #: found but not polled: another entry point of this source already yields
    links: tuple[Link, ...] = ()
    etag: str | None = None
    last_modified: str | None = None
    entries: int = 0  #: links it holds, those that the source's rules leave out too
    left_out: int = 0  #: of them addresses without a date that are too many: they are not asked
    seen: bytes | None = (
        None  #: prints of all its addresses without a date, where these are too many; None: they are not
    )
    children: tuple[str, ...] | None = None  #: sitemaps that it names; None when it is no sitemap index
    resting: tuple[str, ...] = ()  #: of these the ones that are asked only while the source gives nothing new
    fresh: tuple[str, ...] = ()  #: and those that are asked
    site: str | None = None  #: whose addresses it may name beside its source's own, by registrable domain
    gives_way: bool = False  #: no page that it names was an article: another entry point takes its place
    parent: str | None = None  #: the sitemap index that names it
    moved_to: str | None = None  #: where an address of sources.toml redirects for good; None when it answers itself
    asked: int | None = None  #: seconds it asks to be left alone (Cache-Control, ttl, sy:updatePeriod)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP response as its server sent it, and the request for it: what a WARC record is made of."""

    url: str  #: the address that was asked for, as it was sent
    fetched_at: datetime  #: when it had come; aware, UTC
    status: int
    protocol: str  #: `HTTP/1.1`
    reason: str  #: the status line's phrase; the standard's own, where the client does not tell what the server said
    headers: tuple[tuple[bytes, bytes], ...]  #: (name, value) in their order, repeated ones each
    body: bytes  #: as sent: Content-Encoding kept, transfer coding removed
    ip_address: str | None = None  #: of the server; None of a local copy
    method: str = "GET"
    request_headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Where a page's answer was kept in the WARC files, or where the copy lies that was imported: then status is None, offset 0."""

    page_url: str  #: the page that it belongs to: a redirect's is the address that was found
    fetched_at: datetime  #: the record's WARC-Date; aware, UTC
    status: int | None  #: HTTP status; None: not known
    reason: (
        str | None
    )  #: what it was kept for when it is no article: `redirect`, a refusal, `http_404`; None: an article
    file: str  #: a bare name: of the folder `warc/` beside the database; else the path of an imported file, with a `/`; of a
    #: page in a .zip or .tar that file's path and the name inside: `./letters.zip/2019/a.html`
    offset: int  #: bytes from the start of the file to the response's gzip member
    length: int  #: bytes of that member; those of the request and of the metadata follow it. Of a saved page its bytes, unpacked
    digest: str  #: of the body as it was sent, or of the saved file: `sha1:` and base32
    revisit_of: int | None = None  #: captures.id of the one that has the same body; None: it has its own
    body_at: tuple[str, int] | None = (
        None  #: of an imported one that has no body: file and offset of the one that has it
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer, or the lack of one, for an article's address. The same type for the live web, saved files and WARC."""

    url: str  #: the address that was found, canonical_url() applied; `urn:sha256:…` for a copy that names none
    final_url: str  #: the address that answered, after redirects; equal to `url` where there were none
    via: str  #: feed, news_sitemap, sitemap, homepage, listed, file or warc
    fetched_at: datetime  #: aware, UTC; for an archived record the day of its capture
    source: Source | None = None  #: the source whose listing named it
    status: int | None = None  #: HTTP status; None for local copies and when nothing answered
    failure: str | None = None  #: why there is no answer worth keeping (`timeout`, `http_503`); None when there is one
    refusal: str | None = None  #: why it must not be asked or kept (`robots`, `too_large`); None normally
    content_type: str | None = None  #: the Content-Type header, charset parameter included
    body: bytes = b""  #: undecoded, transfer and content encodings removed
    hints: Hints = field(default_factory=Hints)
    reserved: str | None = None  #: the X-Robots-Tag header, a line for each
    tdm_reservation: int | None = None  #: 1 or 0, as its header says
    tdm_by_host: int | None = None  #: 1 or 0, as its host's tdmrep.json said of its path when it was asked for
    content_usage: tuple[str, ...] = ()  #: Content-Usage statements: its header's, and those of robots.txt for its path
    feed_html: str | None = None  #: like Link.feed_html, of a page that has not given its article yet
    etag: str | None = None
    last_modified: str | None = None
    unchecked: bool = False  #: it came by https from a server whose certificate nobody has checked
    unchanged: bool = False  #: answered 304: what is known of it still holds
    file: str | None = (
        None  #: the file it was read from, its path as it was given; of a packed one the name inside behind that
    )
    warc: str | None = None  #: file name of the archive that holds the record, without folders
    warc_offset: int | None = None  #: bytes from the start of that archive
    answers: tuple[
        Answer, ...
    ] = ()  #: what its servers sent, each redirect and the last; () where nothing is to be kept
    captures: tuple[
        Capture, ...
    ] = ()  #: of a copy: where it lies, an archive's redirects before it; () of a file that was not read to its end
    discovered_at: datetime | None = None  #: when its address was found; aware, UTC; None: when it was fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """schema.org NewsArticle, as far as one page and its feed tell it."""

    title: str | None  #: the headline, without the site's name
    text: str  #: paragraphs separated by a blank line, without title and description; Unicode NFC
    description: str | None = None  #: the deck or lead, one paragraph
    authors: tuple[str, ...] = ()  #: people first; an agency or the site itself only when nobody else is named
    date_published: str | None = None  #: `YYYY-MM-DDTHH:MM:SSZ`, or the bare day where only that is known
    date_published_raw: str | None = None  #: the page's own string, offset included
    date_published_source: str = "none"  #: jsonld, meta, feed, sitemap, url, page or none
    date_modified: str | None = None  #: like date_published
    language: str | None = (
        None  #: lower-case BCP 47 primary tag: `en`, `pt`, `zh`; told by the text where that is clear
    )
    language_declared: str | None = None  #: the same as the page says it, else its feed, else sources.toml
    section: str | None = None
    keywords: tuple[str, ...] = ()
    image_url: str | None = None  #: absolute
    site_name: str | None = None
    is_accessible_for_free: bool | None = None
    dateline: str | None = None  #: the place that opens a report, in its own spelling; the text keeps it
    kicker: str | None = None  #: the small line above the title: a topic, a place, a series; None: none was seen
    titles: tuple[tuple[str, str], ...] = ()  #: (place, title) by TITLES; () where all places agree
    reservations: tuple[str, ...] = ()  #: what the page asks not to be done with it: `noarchive`, `tdm-reservation`, …;
    #: `tdm-reservation=0`, where it says itself that mining is not reserved
    text_source: str = "page"  #: who told the text: page, script (the page's data, where its HTML lacks it) or feed
    canonical_url: str | None = None  #: the page's own claim, absolute; deduplication decides whether it is believed
    notice: str | None = (
        None  #: a hash, where nothing but its words says that it is an article; equal for a site's notices
    )
    parts: tuple[tuple[int, str], ...] = ()  #: number and address of the pages that it links as pages of this article,
    #: its own among them; 0 shows them all; () of an article on one page
    word_count: int  #: runs of letters and digits; every Han, Kana or Hangul character counts as one
    extractor: str  #: name and version of the rules that made this, e.g. `broadsheet 3 choose 2 trafilatura 2.3.1`


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a page: exactly one of article, refusal and failure is set; none of an unchanged page."""

    page: Page  #: its body is emptied: nothing after extraction needs it
    article: Article | None = None
    refusal: str | None = None  #: the answer is no article: too_short, consent, soft_404, index, …
    failure: str | None = None  #: no answer yet worth keeping: timeout, http_503, extraction_timeout, …
    extractor: str | None = None  #: the rules that refused it, like Article.extractor; None when they were not asked
    content_hash: str | None = None  #: text.content_hash() of the article; None: whoever needs it makes it
    captures: tuple[Capture, ...] = ()  #: the records that were written of its answers
    fingerprints: frozenset[int] | None = None  #: of the article's text, as near copies are found by; None: likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is remembered of a host from run to run: its robots.txt, and whether it wants to be left alone."""

    host: str  #: lower case, with the port where it is not the usual one; http and https are one host
    robots: str | None = None  #: its robots.txt, at most 512 KiB; None: it has none, or nothing was ever read
    robots_status: int | None = None  #: HTTP status of the answer that `robots` is from; None: there was no answer
    robots_fetched_at: datetime | None = None  #: of that answer; aware, UTC; None: never asked
    crawl_delay: float | None = None  #: seconds, as robots.txt says for our user agent
    not_before: datetime | None = None  #: not to be asked before; aware, UTC
    busy_since: datetime | None = None  #: the first 429 or 503 since its last good answer; None: there was none
    tdm_reservation: int | None = None  #: the header of its robots.txt: 1 reserves text and data mining, 0 does not
    tdmrep: str | None = None  #: the rules of its tdmrep.json, as a JSON array; None: none were read
    tdmrep_status: int | None = None  #: HTTP status of the last answer; None: there was no answer
    tdmrep_fetched_at: datetime | None = None  #: of that answer; aware, UTC; None: never asked
    content_usage: str | None = None  #: JSON array of the Content-Usage lines of its robots.txt for our user agent
