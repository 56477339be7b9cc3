"""Backfill, without its engine: what is wanted, which files there are, what a row holds, what one file comes to."""

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.items import Article, Capture, Hints, Outcome, Page, Source
from crawler.workers import Limits
from pipelines.backfill.filters import ALL, Filters, UnusableDomain, domains_in
from pipelines.backfill.inputs import UnusableInput, addresses_of
from pipelines.backfill.manifest import Manifest, UnusableManifest, part_path, read_manifest, settle
from pipelines.backfill.parts import PartWriter, read_part, schema
from pipelines.backfill.summaries import Summary, read_summary, write_summary
from pipelines.backfill.tasks import Job, end_workers, run_task
from pipelines.database.lock import run_lock
from tests.support import hanging
from tests.support.loopback import Answer, Site, article_html, story
from tests.support.warcs import article, response, write_warc

NOW = datetime(2026, 11, 3, 8, 15, 0, 250_000, tzinfo=UTC)

# What is wanted


@pytest.mark.parametrize(
    ("url", "day", "wanted"),
    [
        ("https://a.example/1", "2026-11-03", True),
        ("https://www.sport.a.example:8443/1", "2026-11-30", True),
        ("https://xn--mller-kva.example/1", "2026-11-03", True),
        ("https://nota.example/1", "2026-11-03", False),
        ("https://a.example.org/1", "2026-11-03", False),
        ("https://a.example/1", "2026-11-02", False),
        ("https://a.example/1", "2026-12-01", False),
    ],
)
def test_pages_are_wanted_by_their_domain_and_their_day(url: str, day: str, wanted: bool) -> None:
    filters = Filters(
        domains=domains_in(["A.example", "# of others", "müller.example  # too"]),
        since="2026-11-03",
        until="2026-11-30",
    )
    assert filters.wants(url, datetime.fromisoformat(f"{day}T23:59:59Z")) is wanted


def test_an_article_is_wanted_by_its_language_and_without_one_all_are() -> None:
    filters = Filters(languages=("de", "en"))
    assert [filters.speaks(language) for language in ("en", "fr", None)] == [True, False, False]
    assert Filters().speaks(None) and Filters().wants("urn:x", NOW)


@pytest.mark.parametrize(
    "line", ["https://a.example/", "a.example/news", "a b.example", "example", "a@b.example", "..", "-", "a..example"]
)
def test_a_line_that_is_no_domain_is_named(line: str) -> None:
    with pytest.raises(UnusableDomain, match=r"line 2: expected a domain such as example\.org"):
        domains_in(["b.example", line])


# Which files there are


def test_folders_lists_and_files_become_addresses_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cc").mkdir()
    one, two = (write_warc(tmp_path / "cc" / name, [article(1)]) for name in ("a.warc.gz", "b.warc"))
    (tmp_path / "cc" / "page.html").write_text(article_html("Pier", story("pier")))
    (tmp_path / "warc.paths.gz").write_bytes(
        gzip.compress(b"crawl-data/CC-NEWS/2026/11/x.warc.gz\n\nhttp://h.example/y.warc.gz\ncc/a.warc.gz\n")
    )
    assert addresses_of(["cc", "warc.paths.gz", "cc/a.warc.gz", "https://h.example/z.warc.gz?key=1"]) == (
        str(one), str(two), "https://data.commoncrawl.org/crawl-data/CC-NEWS/2026/11/x.warc.gz", "http://h.example/y.warc.gz",
        "https://h.example/z.warc.gz?key=1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.warc.gz", None, "no such file or folder"),
        ("page.html", b"<html>", "expected a folder, or one of .warc"),
        ("empty.txt", b"\n# nothing\n", "names no file"),
        ("list.txt", b"a.warc.gz\nhttps://h.example/page.html\n", "not 'https://h.example/page.html'"),
        ("list.paths.gz", b"\x1f\x8b\x08damaged", "is no list of addresses"),
        ("list.paths", b"\xff\xfe\xfa", "is no list of addresses"),
        ("ftp.txt", b"no-archive", "expected addresses of web archives, not 'no-archive'"),
    ],
)
def test_what_names_no_archive_is_said(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableInput) as error:
        addresses_of([str(tmp_path / name)])
    assert message in str(error.value)


def test_a_folder_without_archives_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no web archive in this folder"):
        addresses_of([str(tmp_path)])


# The manifest


def test_a_folder_takes_more_inputs_at_its_end_and_no_other_backfill(tmp_path: Path) -> None:
    out, english = tmp_path / "deep" / "out", Filters(languages=("en",))
    first = settle(out, Manifest(inputs=("/a", "/b"), filters=english))
    assert read_manifest(out) == first
    longer = settle(out, Manifest(inputs=("/a", "/b", "/c"), filters=english))
    assert (longer.inputs, list(longer.part((2, 2))), list(longer.part())) == (("/a", "/b", "/c"), [1], [0, 1, 2])
    assert [longer.key(number) for number in (0, 1)] == [first.key(number) for number in (0, 1)]
    for other, said in (
        (replace(longer, inputs=("/a", "/x", "/c")), "its input 2 is /b, not /x"),
        (replace(longer, inputs=("/a",)), "it has 3 inputs, and 1 were named"),
        (replace(longer, filters=Filters()), "--languages was en, and is nothing now"),
        (replace(longer, filters=replace(english, since="2026-11-01")), "--since was nothing, and is 2026-11-01 now"),
        (replace(longer, rules="broadsheet 1"), "the extractor was"),
        (replace(longer, sources="0" * 64), "sources.toml was nothing"),
    ):
        with pytest.raises(UnusableManifest) as error:
            settle(out, other)
        assert said in str(error.value)
        assert read_manifest(out) == longer


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "is no manifest"),
        (b"[" * 10_000, "is no manifest"),
        (b'{"format": 7}', "of format 7"),
        (b'{"format": 1}', "is no manifest"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(UnusableManifest) as error:
        settle(tmp_path, Manifest(inputs=("/a",)))
    assert said in str(error.value)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UnusableManifest, match=r"is no backfill, and not empty: thesis.txt is in it"):
        settle(tmp_path, Manifest(inputs=("/a",)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


# Rows

SOURCE = Source(url="https://a.example/", name="A")

PAGE = Page(
    url="https://a.example/found", final_url="https://a.example/1", via="feed", fetched_at=NOW, source=SOURCE, status=200,
    content_type="text/html", hints=Hints(title="Pier", authors=("A. Writer", "B. Writer")), tdm_reservation=0,
    content_usage=("train-ai=n",), etag='"7"', last_modified="Tue", unchecked=True, file="/w/x.warc.gz", warc="x.warc.gz", warc_offset=7,
    captures=(Capture(page_url="https://a.example/1", fetched_at=NOW, status=200, reason=None, file="/w/x.warc.gz", offset=7, length=9,
                      digest="sha1:A", body_at=("/w/y.warc.gz", 3)),),
    discovered_at=NOW,
)  # fmt: skip

ARTICLE = Article(
    title=None, text="One.\n\nTwo 中文.", authors=("A. Writer",), date_published="2026-11-03", keywords=("pier",), is_accessible_for_free=False,
    titles=(("jsonld", "One"), ("meta", "Two")), parts=((1, "https://a.example/1"), (2, "https://a.example/2")), word_count=4, extractor="x",
)  # fmt: skip

OUTCOMES = [
    Outcome(page=PAGE, article=ARTICLE, content_hash="hash", fingerprints=frozenset({-(2**31), 0, 2**31 - 1})),
    Outcome(page=replace(PAGE, source=None, captures=(), discovered_at=None), refusal="index", extractor="x"),
    Outcome(page=replace(PAGE, hints=Hints()), failure="extraction_timeout"),
]


def test_a_part_gives_back_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "part-00000.parquet"
    with file.open("wb") as stream, PartWriter(stream) as part:
        for outcome in OUTCOMES * 350:
            part.write(outcome)
    assert [*read_part(file, lambda found_by, url: SOURCE if found_by == SOURCE.url else None)] == OUTCOMES * 350


def test_the_columns_of_a_part_are_a_contract() -> None:
    assert schema().names == [
        "url", "final_url", "via", "fetched_at", "discovered_at", "status", "content_type", "hints", "tdm_reservation", "content_usage",
        "etag", "last_modified", "unchecked", "file", "warc", "warc_offset", "captures", "source", "refusal", "failure", "extractor",
        "content_hash", "article", "fingerprints",
    ]  # fmt: skip
    assert [str(schema().field(name).type) for name in ("fetched_at", "fingerprints")] == [
        "timestamp[us, tz=UTC]",
        "list<item: int32>",
    ]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_a_damaged_part_is_an_os_error_with_a_reason(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "part.parquet").write_bytes(content)
    with pytest.raises(OSError) as error:
        [*read_part(tmp_path / "part.parquet", lambda found_by, url: None)]
    assert "is no part of a backfill" in str(error.value)


# One task

Do = Callable[..., Summary]


LIMITS = Limits(seconds=4.0, megabytes=1024)


@pytest.fixture(scope="module")
def extracting() -> Iterator[None]:
    """The process that extracts goes on from test to test, as it does from task to task."""
    yield
    end_workers(LIMITS)


@pytest.fixture
def do(tmp_path: Path, extracting: None) -> Do:
    """Does the task of one input, in this process, and says what came of it."""

    def do(address: object, filters: Filters = ALL, run: str = "one", sources: tuple[Source, ...] = ()) -> Summary:
        out = tmp_path / "out"
        manifest = settle(out, Manifest(inputs=(str(address),), filters=filters))
        (out / "tasks").mkdir(exist_ok=True)
        run_task(
            Job(run=run, out=out, scratch=tmp_path / "scratch", manifest=manifest, sources=sources, limits=LIMITS), 0
        )
        summary = read_summary(out, 0)
        assert summary is not None
        return summary

    return do


def rows(folder: Path, number: int = 0) -> list[Outcome]:
    return [*read_part(part_path(folder / "out", number), lambda found_by, url: None)]


def test_a_file_becomes_a_part_and_is_never_read_again(tmp_path: Path, do: Do) -> None:
    empty = response("https://news.example/empty", "")
    file = write_warc(tmp_path / "x.warc.gz", [article(1), empty, article(2, status="503 Busy")])
    summary = do(file)
    assert (summary.done, summary.pages, summary.articles, dict(summary.refused), dict(summary.failures)) == (
        True, 3, 1, {"empty": 1}, {"http_503": 1},
    )  # fmt: skip
    assert [(row.page.url, row.article and row.article.title, row.refusal, row.failure) for row in rows(tmp_path)] == [
        ("https://news.example/1", "Of pier 1", None, None),
        ("https://news.example/empty", None, "empty", None),
        ("https://news.example/2", None, None, "http_503"),
    ]
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        "manifest.json",
        "part-00000.parquet",
        "tasks",
    ]
    file.unlink()
    assert do(file, run="two") == summary


def test_a_page_that_hangs_dies_or_eats_memory_is_a_failure_and_the_rest_is_done(
    tmp_path: Path, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.extract.pipeline.outcome_of", hanging.outcome_of)
    bad = [
        response(f"https://news.example/{word}", f"<p>{word}")
        for word in ("make it hang", "make it die", "eat four gigabytes")
    ]
    summary = do(write_warc(tmp_path / "x.warc.gz", [article(1), bad[0], article(2), bad[1], bad[2], article(3)]))
    assert (summary.pages, summary.articles, dict(summary.failures)) == (
        6, 3, {"extraction_timeout": 1, "extraction_crash": 1, "extraction_memory": 1},
    )  # fmt: skip
    assert [row.page.url.rpartition("/")[2] for row in rows(tmp_path) if row.article] == ["1", "2", "3"]


def test_what_is_not_asked_for_is_counted_and_no_row(tmp_path: Path, do: Do) -> None:
    german = article_html(
        "Der Pegel steigt",
        "\n\n".join(
            f"Der Pegel steigt seit {number} Tagen, und die Stadt hat die Tore geschlossen, weil das Wasser bald über die Mauer treten wird."
            for number in range(8)
        ),
    )
    records = [
        article(1), article(2, host="other.example"), article(3, date="2026-10-01T00:00:00Z"), response("https://news.example/de", german),
        response("https://news.example/old", "", status="301 Moved"), response("https://news.example/p.jpg", "x", kind="image/jpeg"),
        response("https://news.example/robots.txt", "x", kind="text/plain"), article(4, type="revisit"),
    ]  # fmt: skip
    filters = Filters(domains=("news.example",), languages=("en",), since="2026-11-01")
    summary = do(write_warc(tmp_path / "x.warc.gz", records), filters)
    assert (summary.pages, summary.articles, dict(summary.left_out)) == (
        1, 1, {"not_asked_for": 2, "other_language": 1, "redirect": 1, "not_a_page": 2, "revisit": 1},
    )  # fmt: skip


def packed_as_one(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data))


def cut_off(data: bytes) -> bytes:
    return data[:-300]


def uncompressed(data: bytes) -> bytes:
    return gzip.decompress(data)


def with_a_giant(data: bytes) -> bytes:
    """Says of itself that it has four gigabytes."""
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://news.example/giant\r\nContent-Type: application/http\r\nContent-Length: 4294967296\r\n\r\n"
    return gzip.decompress(data) + head + b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>x"


def with_garbage(data: bytes) -> bytes:
    return data + random.Random(7).randbytes(5_000) + data


def with_a_bomb(data: bytes) -> bytes:
    """A record of 64 MB in 300 KB, that says of itself to have a gigabyte."""
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://news.example/bomb\r\nContent-Type: application/http\r\nContent-Length: 1073741824\r\n\r\n"
    return data + gzip.compress(head + b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + bytes(2**26), 1)


@pytest.mark.parametrize(
    ("damage", "pages", "articles", "said"),
    [
        pytest.param(uncompressed, 6, 6, [], id="uncompressed"),
        pytest.param(packed_as_one, 1, 0, ["one gzip block holds several records"], id="all in one gzip block"),
        pytest.param(cut_off, 6, 5, ["damaged at byte"], id="cut off"),
        pytest.param(with_a_giant, 7, 6, ["damaged at byte"], id="a giant record"),
        pytest.param(with_garbage, 12, 12, ["damaged at byte"], id="garbage in the middle"),
        pytest.param(with_a_bomb, 7, 6, ["damaged at byte"], id="a bomb"),
        pytest.param(lambda data: b"", 0, 0, [], id="empty"),
        pytest.param(lambda data: b"no archive at all\n" * 500, 0, 0, ["damaged at byte 0"], id="something else"),
    ],
)
def test_of_a_damaged_file_what_is_sound_is_read_and_the_damage_is_told(
    tmp_path: Path, do: Do, damage: Any, pages: int, articles: int, said: list[str]
) -> None:
    file = write_warc(tmp_path / "x.warc.gz", [article(number) for number in range(6)])
    file.write_bytes(damage(file.read_bytes()))
    summary = do(file)
    assert (summary.done, summary.pages, summary.articles) == (True, pages, articles)
    assert len(summary.notes) >= len(said)
    assert all(any(words in note for note in summary.notes) for words in said)


def test_a_file_that_cannot_be_read_is_no_part_and_is_tried_again(tmp_path: Path, do: Do) -> None:
    (tmp_path / "x.warc.gz").mkdir()
    assert do(tmp_path / "x.warc.gz").failed == "Is a directory"
    assert [entry.name for entry in (tmp_path / "out").iterdir() if "part" in entry.name] == []
    (tmp_path / "x.warc.gz").rmdir()
    write_warc(tmp_path / "x.warc.gz", [article(1)])
    assert do(tmp_path / "x.warc.gz").failed == "Is a directory"  # of the same start: not twice
    assert do(tmp_path / "x.warc.gz", run="two").articles == 1


def test_a_task_that_another_process_is_at_is_left_to_it(tmp_path: Path, do: Do) -> None:
    file = write_warc(tmp_path / "x.warc.gz", [article(1)])
    (tmp_path / "out" / "tasks").mkdir(parents=True)
    (tmp_path / "out" / "tasks").rename(tmp_path / "tasks")
    settle(tmp_path / "out", Manifest(inputs=(str(file),)))
    (tmp_path / "tasks").rename(tmp_path / "out" / "tasks")
    write_summary(tmp_path / "out", 0, Summary(run="other", process=1, pages=7))
    with run_lock(tmp_path / "out" / "tasks" / "00000.json"):
        assert do(file) == Summary(run="other", process=1, pages=7)
    assert do(file).pages == 1


# What is elsewhere


def test_a_file_from_elsewhere_is_fetched_whole_and_called_by_its_address(tmp_path: Path, do: Do, site: Site) -> None:
    file = write_warc(tmp_path / "x.warc.gz", [article(1)])
    url = site.add("/cc/x.warc.gz", file.read_bytes(), kind="application/octet-stream", Content_Encoding="gzip")
    site.add("/cc/warc.paths", "x.warc.gz\n")
    (address,) = addresses_of([f"{site.url}/cc/warc.paths"])
    assert address == url
    assert do(address).articles == 1
    (row,) = rows(tmp_path)
    assert (row.page.file, row.page.warc, row.page.captures[0].file, row.page.warc_offset) == (url, "x.warc.gz", url, 0)
    assert [*(tmp_path / "scratch").iterdir()] == []


@pytest.mark.parametrize(
    ("answers", "failed", "asked"),
    [
        ([503, 429, 200], None, 3),
        ([404], "no such file", 1),
        ([403], "the server answers with HTTP 403", 1),
        ([503] * 6, "the server answers with HTTP 503", 6),
    ],
)
def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not(
    tmp_path: Path,
    do: Do,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[int],
    failed: str | None,
    asked: int,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    file, left = write_warc(tmp_path / "x.warc.gz", [article(1)]), iter(answers)
    site.answers["/x.warc.gz"] = lambda: Answer(file.read_bytes() if (status := next(left)) == 200 else b"", status)
    assert do(f"{site.url}/x.warc.gz").failed == failed
    assert (len(site.asked), len(pauses)) == (asked, asked - 1)
    assert all(later > 0 for later in pauses) and sum(pauses) < 120


@pytest.mark.parametrize(
    ("address", "said"), [("gs://bucket/x.warc.gz", "gcsfs"), ("nowhere://x/y.warc.gz", "nowhere")]
)
def test_an_address_of_a_kind_that_nobody_here_can_open_says_so(address: str, said: str) -> None:
    with pytest.raises(UnusableInput, match=said):
        addresses_of([address])
