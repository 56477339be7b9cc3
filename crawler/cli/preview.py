"""Preview of sites before they are watched: a small crawl into a temporary archive, and what it came to, in lines for a
person."""

import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.cli.output import DONE, FAILED, print_error
from crawler.cli.run import PARTLY_DONE, Job, run
from crawler.items import Source
from crawler.reasons import sentence
from crawler.sources.toml_file import CrawlSettings, SourcesFile
from crawler.urls import origin_of

if TYPE_CHECKING:
    from crawler.cli.run import Follow
    from pipelines.archive.queries import EntryPoint, Sampled, SourceOverview
    from pipelines.database.sqlite import Database

PREVIEW_SECONDS = 120
"""Time limit of one preview, or sixteen side by side (CONCURRENT_REQUESTS): at a request a second robots.txt, the front
page, a dozen guesses and five articles take half of it."""


FRONT_PAGE_SECONDS = 40
"""The same where only front pages are asked: robots.txt and the page, ten seconds each at most (DOWNLOAD_TIMEOUT), once more."""


MOST_LISTED = 8
"""Entry points or failures of one source that are shown."""


EXCERPT_CHARS = 160
"""Length of the excerpt of an article's text: two lines of a terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the sample crawl of one site found."""

    source: Source
    overview: "SourceOverview"
    noted: Mapping[str, str]  #: name, site, language and title, where the front page or the feed says them

    @property
    def is_unread(self) -> bool:
        """Whether nothing there could be read."""
        return bool(self.overview.trouble) and not (self.overview.pages or self.overview.articles)

    @property
    def given(self) -> str | None:
        """`feeds` or `sitemaps` when the source's own address is one of these and no front page."""
        kinds = {point.url: point.kind for point in self.overview.entry_points}
        kind = kinds.get(self.source.url, "homepage")
        return None if kind == "homepage" else "sitemaps" if "sitemap" in kind else "feeds"

    @property
    def site(self) -> str | None:
        """Where the site is, when the source's own address is that of an article: as its feed says, else by its host."""
        said = self.noted.get("site", "")
        above = said.endswith("/") and said != self.source.url and self.source.url.startswith(said)
        return (said if above else f"{origin_of(self.source.url)}/") if self.overview.is_article else None

    @property
    def name(self) -> str | None:
        """What the site calls itself: on its front page, on most articles, in its feed, in the title of its front page."""
        on_articles = Counter(article.site_name for article in self.overview.articles if article.site_name)
        names = [] if self.given else [self.noted.get("name")]
        names += [*(name for name, _ in on_articles.most_common(1)), self.noted.get("name"), self.noted.get("title")]
        return next((plain(name) for name in names if name), None)

    @property
    def languages(self) -> tuple[str, ...]:
        """Of the sampled articles, the most frequent first."""
        spoken = Counter(article.language for article in self.overview.articles if article.language)
        return tuple(language for language, _ in spoken.most_common())


def preview(sources: Sequence[Source], crawl: CrawlSettings, offline: Path | None) -> tuple[int, list[Preview]]:
    """Crawl a sample of each source, and tell of the steps on a terminal; returns an exit code, and a Preview of each source
    when that is 0, else []. Errors are printed."""
    from crawler.cli.progress import tell_steps
    from pipelines.archive.queries import overview

    with _looked(sources, crawl, offline, PREVIEW_SECONDS, tell_steps) as (code, archive, noted):
        if archive is None:
            return code, []
        return code, [Preview(source=s, overview=overview(archive, s.url), noted=noted.get(s.url, {})) for s in sources]


def front_pages_say(
    sources: Sequence[Source], crawl: CrawlSettings, offline: Path | None
) -> tuple[int, Mapping[str, Mapping[str, str]]]:
    """Ask the front page of each source, and show on a terminal how many are left; returns an exit code, and of each source's
    url the name and the language that it says, as far as it does. Errors are printed."""
    from crawler.cli.progress import follow

    with _looked(
        sources, crawl, offline, FRONT_PAGE_SECONDS, partial(follow, known=len(sources)), front_pages_only=True
    ) as (code, _, noted):
        return code, noted


@contextmanager
def _looked(
    sources: Sequence[Source],
    crawl: CrawlSettings,
    offline: Path | None,
    seconds: int,
    follow: "Follow",
    **arguments: object,
) -> Iterator[tuple[int, "Database | None", dict[str, dict[str, str]]]]:
    """A crawl of the sample spider into an archive that is gone afterwards: the exit code, the archive when that is 0, and
    what was noted in passing."""
    from pipelines.archive.queries import end_of_run
    from pipelines.database.connection import connect

    noted: dict[str, dict[str, str]] = {}
    settings = {
        "WARC": False,
        "OFFLINE_DIR": str(offline or ""),
        "CLOSESPIDER_TIMEOUT": seconds * ceil(len(sources) / 16),
    }
    read = SourcesFile(crawl=crawl, sources=tuple(sources))
    with tempfile.TemporaryDirectory(prefix="broadsheet-") as folder, _own_signals():
        db = Path(folder) / "sample.db"
        told = {"noted": noted, **arguments}
        code = run(Job(spider="sample", db=db, settings=settings, arguments=told, read=read, quiet=True, follow=follow))
        if code != DONE:
            yield code, None, {}
            return
        with closing(connect(db)) as archive:
            if end_of_run(archive) == PARTLY_DONE["shutdown"]:
                yield print_error("stopped by a signal", FAILED), None, {}
            else:
                yield code, archive, noted


@contextmanager
def _own_signals() -> Iterator[None]:
    """Scrapy keeps Ctrl-C to itself when its crawl is over; a question that is asked afterwards needs it."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def describe(preview: Preview) -> Iterator[str]:
    """What was found, line by line."""
    found = preview.overview
    yield f"  name         {preview.name or preview.source.name}"
    yield f"  language     {', '.join(preview.languages) or 'not known'}"
    points = [point for point in found.entry_points if not _is_guess(point)]
    for point in points[:MOST_LISTED]:
        how = {"ok": "", "reserve": ", in reserve"}.get(point.status, f": {sentence(point.status)}")
        yield f"  {_KINDS.get(point.kind, point.kind):<13}{point.url}{how}"
    if len(points) > MOST_LISTED:
        yield f"  and {len(points) - MOST_LISTED} more"
    if preview.given:
        yield f"               a {preview.given.removesuffix('s')} itself: nothing else of its site is asked for links"
    if found.trouble and found.trouble not in [f"{point.url}: {sentence(point.status)}" for point in points]:
        yield f"  trouble      {found.trouble}"
    read = len(found.articles) + len(found.failures)
    yield f"  pages        {found.pages:,} found, {read} of them read: {len(found.articles)} with an article"
    for number, article in enumerate(found.articles, 1):
        yield from _article_lines(number, article)
    if found.failures:
        yield ""
    for url, reason in found.failures[:MOST_LISTED]:
        yield f"  no article: {url}: {sentence(reason)}"


_KINDS = {
    "rss": "RSS feed",
    "atom": "Atom feed",
    "json": "JSON feed",
    "news_sitemap": "news sitemap",
    "homepage": "front page",
}


def _is_guess(point: "EntryPoint") -> bool:
    """Whether an entry point in reserve is only where one might be: discovery did not come to ask there."""
    from crawler.parsers.listings import FEED_GUESSES, SITEMAP_GUESSES

    guesses = (*FEED_GUESSES, *SITEMAP_GUESSES["news_sitemap"], *SITEMAP_GUESSES["sitemap"])
    return point.status == "reserve" and (point.kind == "homepage" or urlsplit(point.url).path in guesses)


def _article_lines(number: int, article: "Sampled") -> Iterator[str]:
    yield ""
    yield f"  {number}. {plain(article.title or 'without a title')}"
    facts = (article.date or "no date", plain(", ".join(article.authors)) or "no author", f"{article.words:,} words")
    yield f"     {' · '.join(facts)}"
    yield f"     {article.url}"
    text = plain(article.text)
    yield f"     {text[:EXCERPT_CHARS]}{'…' if len(text) > EXCERPT_CHARS else ''}"


def plain(text: str) -> str:
    """A stranger's text on one line, without control characters, which a terminal would obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def no_article(preview: Preview, crawl: CrawlSettings) -> str:
    """Why a site that could be read gives nothing to store."""
    if not preview.overview.pages:
        return f"No page is named there; of sitemaps only what is not older than since = {crawl.since!r} counts."
    reasons = Counter(reason for _, reason in preview.overview.failures).most_common(1)
    why = "".join(
        f": {number} of {len(preview.overview.failures)} read: {sentence(reason)}" for reason, number in reasons
    )
    return f"Not one page there gives an article{why}."
